// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.Interpolation;
import org.relaydiffusion.diffusion.PipelineFolder;
import org.relaydiffusion.diffusion.RelayPipeline;
import org.relaydiffusion.diffusion.SampleRequest;
import org.relaydiffusion.diffusion.Samples;
import org.relaydiffusion.diffusion.image.AnimatedGif;
import org.relaydiffusion.diffusion.image.BackgroundPngWriter;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.launch.command.InterruptedRunException;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.download.Downloads;
import org.relaydiffusion.launch.progress.RunProgress;
import org.relaydiffusion.launch.progress.StatusLine;

/**
 * Samples the frames of an {@link Interpolation}: {@code interpolation_3_17/00000.png} and so on,
 * and {@code interpolation_3_17.gif}, in the folder of the job.
 */
final class InterpolationRun {
  private static final List<String> NOT_APPLICABLE =
      List.of("--seeds", "--batch", "--resume", "--like", "--grid", "--npz", "--animate");
  private static final int WRITER_THREADS = 2;
  private static final int PICTURES_IN_MEMORY = 64;
  private static final int FRAME_MILLIS = 80;
  private static final int END_MILLIS = 800;

  private final SamplingJob job;
  private final Interpolation interpolation;
  private final NetworkLoader networks;
  private final StatusLine status;
  private final StopSignal stop;

  /**
   * Refuses options that have no meaning for an interpolation.
   *
   * @throws OptionException naming the first one
   */
  static void requireApplicable(TypedOptions typed) {
    for (String option : NOT_APPLICABLE) {
      if (typed.has(option)) {
        throw new OptionException("--interpolate and %s are mutually exclusive".formatted(option));
      }
    }
  }

  /**
   * Creates a run without starting it.
   *
   * @param job what to sample, with the seed of the first frame
   * @param interpolation the frames
   * @param downloads fetches checkpoints given by URL
   * @param status displays the progress
   * @param stop ends the run between two steps
   * @throws OptionException if the job has options that do not apply
   */
  InterpolationRun(
      SamplingJob job,
      Interpolation interpolation,
      Downloads downloads,
      StatusLine status,
      StopSignal stop) {
    this.job = job;
    this.interpolation = interpolation;
    this.networks = NetworkLoader.of(job, downloads);
    this.status = status;
    this.stop = stop;
    if (job.range().startsFromImages()) {
      throw new OptionException("--interpolate requires the first stage");
    }
    if (job.rank().worldSize() > 1) {
      throw new OptionException("--interpolate runs in one process only");
    }
  }

  /**
   * Samples the frames and writes them.
   *
   * @throws InterruptedRunException if the run was stopped; written files are complete
   */
  SamplingResult run() {
    Path outdir = job.target().outdir();
    new PictureFolder(outdir).prepare();
    String name = "interpolation_%s_%s".formatted(interpolation.from(), interpolation.to());
    Path frames = outdir.resolve(name);
    new PictureFolder(frames).prepare();
    deleteFrames(frames);
    Path gif = outdir.resolve(name + ".gif");
    job.networks().folder().ifPresent(PipelineFolder::verify);
    networks.prepare();
    try (RelayPipeline pipeline = networks.load()) {
      RunProgress progress =
          new RunProgress(status, interpolation.frames(), 1, job.count(), System::nanoTime);
      try {
        sample(pipeline, frames, gif, progress);
      } finally {
        progress.end();
      }
      double seconds = progress.seconds();
      return new SamplingResult(
          progress.done(),
          0,
          seconds,
          progress.done() / seconds,
          Optional.empty(),
          Optional.empty(),
          Optional.of(gif),
          pipeline.dtypes(),
          job);
    }
  }

  /** Deletes the frames of an earlier interpolation, which may have been longer. */
  private static void deleteFrames(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> frames =
          files
              .filter(file -> String.valueOf(file.getFileName()).matches("\\d{5,}\\.png"))
              .toList();
      for (Path frame : frames) {
        Files.delete(frame);
      }
    } catch (IOException e) {
      throw new FileException(
          folder, "has earlier frames that cannot be deleted: " + AtomicFile.reason(e), e);
    }
  }

  private void sample(RelayPipeline pipeline, Path frames, Path gif, RunProgress progress) {
    Cancellation cancellation = new Cancellation();
    stop.onRequest(cancellation::cancel);
    try (AnimatedGif animation = AnimatedGif.create(gif, AnimatedGif.FOREVER);
        BackgroundPngWriter writer =
            new BackgroundPngWriter(Compression.FAST, WRITER_THREADS, PICTURES_IN_MEMORY)) {
      for (int k = 0; k < interpolation.frames(); k++) {
        Pixels pixels = frame(pipeline, request(k, cancellation), progress);
        writer.submit(frames.resolve(String.format(Locale.ROOT, "%05d.png", k)), pixels);
        boolean isEnd = k == 0 || k == interpolation.frames() - 1;
        animation.add(pixels, isEnd ? END_MILLIS : FRAME_MILLIS);
        progress.finished(1);
      }
      animation.finish();
    } catch (CancelledException e) {
      progress.end();
      throw new InterruptedRunException(
          "stopped with %s of %s frames written to %s"
              .formatted(progress.done(), interpolation.frames(), frames),
          e);
    }
  }

  private static Pixels frame(RelayPipeline pipeline, SampleRequest request, RunProgress progress) {
    try (Samples samples =
        pipeline.sample(request, p -> progress.step(p.stage() + 1, p.step(), p.steps(), 1))) {
      return samples.iterator().next().pixels();
    }
  }

  private SampleRequest request(int frame, Cancellation cancellation) {
    SampleRequest.Builder builder =
        SampleRequest.builder()
            .seeds(interpolation.from())
            .batch(1)
            .classes(job.classes())
            .range(job.range())
            .noise(job.runtime().noise())
            .latents(interpolation.latents(frame, job.runtime().noise()))
            .enhancement(job.enhancement())
            .cancellation(cancellation);
    for (int i = 0; i < job.stages().size(); i++) {
      builder.stage(i, job.stages().get(i));
    }
    return builder.build();
  }
}
