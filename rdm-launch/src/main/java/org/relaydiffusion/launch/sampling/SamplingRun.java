// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Animation;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.ProgressListener;
import org.relaydiffusion.diffusion.RelayPipeline;
import org.relaydiffusion.diffusion.Sample;
import org.relaydiffusion.diffusion.SampleRequest;
import org.relaydiffusion.diffusion.Samples;
import org.relaydiffusion.diffusion.image.BackgroundPngWriter;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.PngFiles;
import org.relaydiffusion.diffusion.image.PngText;
import org.relaydiffusion.io.OutputFile;
import org.relaydiffusion.launch.command.InterruptedRunException;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.download.Downloads;
import org.relaydiffusion.launch.progress.RunProgress;
import org.relaydiffusion.launch.progress.StatusLine;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.model.Denoiser;

/** Executes a {@link SamplingJob}. */
public final class SamplingRun {
  private static final int WRITER_THREADS = 2;
  private static final int PICTURES_IN_MEMORY = 64;

  /** The timeout of the first process for the next of the others to finish its images. */
  private static final Duration PATIENCE = Duration.ofHours(6);

  private final SamplingJob job;
  private final NetworkLoader networks;
  private final StatusLine status;
  private final StopSignal stop;
  private final PictureFolder folder;

  /**
   * Creates a run without starting it.
   *
   * @param job what to do
   * @param downloads fetches checkpoints given by URL
   * @param status displays the progress
   * @param stop ends the run between two steps
   */
  public SamplingRun(SamplingJob job, Downloads downloads, StatusLine status, StopSignal stop) {
    this.job = job;
    this.networks = NetworkLoader.of(job, downloads);
    this.status = status;
    this.stop = stop;
    this.folder = new PictureFolder(job.target().outdir());
  }

  /**
   * Generates the images and writes them.
   *
   * @return the result of this process
   * @throws InterruptedRunException if the run was stopped; written files are complete
   * @throws RdmException if a network does not match the request, or a file cannot be read or
   *     written
   */
  public SamplingResult run() {
    Instant began = Instant.now();
    checkInputs();
    folder.prepare();
    boolean held = folder.holdsPictures();
    boolean keeps = job.target().existing() == SamplingJob.Existing.KEEP;
    job.target().grid().ifPresent(SamplingRun::prepareSheet);
    networks.prepare();
    // The checksums are computed while the networks are loaded, because both read the complete
    // files.
    FutureTask<SamplingRecord> reading = new FutureTask<>(() -> SamplingRecord.of(job));
    Thread.ofPlatform().name("rdm-sums").daemon().start(reading);
    try (RelayPipeline pipeline = networks.load();
        InputPictures inputs = inputs(pipeline)) {
      SamplingRecord record = result(reading).withNoiseGrid(NoiseGrid.of(job.runtime(), pipeline));
      checkNetworks(record);
      Optional<Instant> since = Optional.empty();
      if (keeps && held) {
        record.requireSame().ifPresent(doubt -> status.print("warning: " + doubt));
        since = record.since();
      }
      FinishedRanks finished =
          new FinishedRanks(
              folder.root(), job.rank(), job.target().npz().isPresent() ? record.key() : "");
      finished.begin();
      List<Long> mine = ownSeeds();
      List<Long> missing = missing(mine, pipeline, since);
      SampleRequest request = request(mine, missing, inputs);
      RunProgress progress =
          new RunProgress(
              status, missing.size(), job.range().from() + 1, job.count(), System::nanoTime);
      if (missing.isEmpty()) {
        warnWithoutAnimation();
      }
      try {
        if (!missing.isEmpty()) {
          // Any process may write the record first; that of the first process is final.
          Optional<Instant> others = held && !keeps ? Optional.of(began) : Optional.empty();
          boolean writes = job.rank().isFirst() || !record.isWritten();
          sample(
              pipeline,
              request,
              new PictureText(job, record),
              progress,
              () -> {
                if (writes) {
                  record.write(others);
                }
              });
        }
      } finally {
        progress.end();
      }
      double seconds = progress.seconds();
      return new SamplingResult(
          progress.done(),
          mine.size() - missing.size(),
          seconds,
          progress.done() == 0 ? 0 : progress.done() / seconds,
          sheet(mine, record),
          npz(finished),
          progress.done() > 0 && job.rank().isFirst() ? job.target().animation() : Optional.empty(),
          pipeline.dtypes(),
          job);
    }
  }

  /** Inputs are not overwritten: the images of the first stage, and the checkpoints. */
  private void checkInputs() {
    job.repetition().map(repeated -> repeated.origin().file()).ifPresent(this::checkLike);
    job.target().indir().ifPresent(indir -> OutputFile.refuseInput(job.target().outdir(), indir));
    job.target()
        .grid()
        .ifPresent(grid -> {
          job.networks().files().forEach(file -> OutputFile.refuseInput(grid, file.path()));
          OutputFile.refuseOthers(grid, "PNG image", PngFiles::isPng);
        });
    job.target()
        .animation()
        .ifPresent(file -> {
          job.networks().files().forEach(network -> OutputFile.refuseInput(file, network.path()));
          OutputFile.refuseOthers(file, "GIF image", SamplingRun::isGif);
        });
    job.target()
        .npz()
        .ifPresent(npz -> {
          job.networks().files().forEach(file -> OutputFile.refuseInput(npz, file.path()));
          OutputFile.refuseOthers(npz, "file of samples", SamplesFile::isSamples);
          SamplesFile.check(npz);
        });
  }

  /** Compares the networks with those of their folder, and with those of an image to repeat. */
  private void checkNetworks(SamplingRecord record) {
    job.networks().checkSums(record.sums());
    job.repetition()
        .map(Repetition::origin)
        .ifPresent(origin -> {
          origin.checkNetworks(job.networks().knownSums(record.sums()), job.range());
          origin.noiseWarning(record).ifPresent(doubt -> status.print("warning: " + doubt));
        });
  }

  private void checkLike(Path like) {
    job.seeds().stream().forEach(seed -> OutputFile.refuseInput(folder.file(seed), like));
    SamplingJob.Target target = job.target();
    Stream.of(target.grid(), target.npz(), target.animation())
        .flatMap(Optional::stream)
        .forEach(file -> OutputFile.refuseInput(file, like));
  }

  private static boolean isGif(Path file) {
    return String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT).endsWith(".gif");
  }

  private static SamplingRecord result(FutureTask<SamplingRecord> reading) {
    try {
      return reading.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RdmException known
          ? known
          : new IllegalStateException("the record of the folder could not be read", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RdmException("interrupted while reading the networks", e);
    }
  }

  private static void prepareSheet(Path sheet) {
    Path parent = sheet.toAbsolutePath().getParent();
    if (parent == null || Files.isDirectory(sheet)) {
      throw new FileException(sheet, "is not a valid file name for the contact sheet");
    }
    new PictureFolder(parent).prepare();
  }

  private List<Long> ownSeeds() {
    Rank rank = job.rank();
    return job.seeds().batches(job.batch(), rank.index(), rank.worldSize()).stream()
        .flatMap(batch -> Arrays.stream(batch).boxed())
        .toList();
  }

  private List<Long> missing(List<Long> seeds, RelayPipeline pipeline, Optional<Instant> since) {
    if (job.target().existing() == SamplingJob.Existing.REPLACE) {
      return seeds;
    }
    Denoiser last = pipeline.stages().getLast().network();
    List<Long> missing = new ArrayList<>();
    for (long seed : seeds) {
      if (since.filter(time -> folder.isOlder(seed, time)).isPresent()
          || !PngFiles.isWhole(
              folder.file(seed), last.resolution(), last.resolution(), last.channels())) {
        missing.add(seed);
      }
    }
    return missing;
  }

  /** Returns the images that the run starts from, if it leaves out the first stage. */
  private @Nullable InputPictures inputs(RelayPipeline pipeline) {
    return job.target()
        .indir()
        .map(indir -> new InputPictures(indir, pipeline.stages().getFirst()))
        .orElse(null);
  }

  private SampleRequest request(
      List<Long> mine, List<Long> missing, @Nullable InputPictures inputs) {
    Cancellation cancellation = new Cancellation();
    stop.onRequest(cancellation::cancel);
    SampleRequest.Builder builder =
        SampleRequest.builder()
            .batch(job.batch())
            .classes(job.classes())
            .range(job.range())
            .noise(job.runtime().noise())
            .enhancement(job.enhancement())
            .cancellation(cancellation);
    for (int i = 0; i < job.stages().size(); i++) {
      builder.stage(i, job.stages().get(i));
    }
    if (missing.size() == mine.size() || missing.isEmpty()) {
      builder.seeds(job.seeds()).rank(job.rank().index(), job.rank().worldSize());
    } else {
      builder.seeds(missing.stream().mapToLong(Long::longValue).toArray());
    }
    job.repetition().ifPresent(repeated -> repeated.request(builder));
    if (inputs != null) {
      inputs.checkAll(missing.stream().mapToLong(Long::longValue));
      if (job.rank().isFirst() && !inputs.text().isEmpty()) {
        status.print(inputs.text());
      }
      builder.inputs(inputs);
    }
    return builder.build();
  }

  private void sample(
      RelayPipeline pipeline,
      SampleRequest request,
      PictureText text,
      RunProgress progress,
      Runnable writeRecord) {
    ProgressListener shown =
        p ->
            progress.step(
                p.stage() + 1, p.step(), p.steps(), Math.ceilDiv((int) p.images(), p.batches()));
    try (Animation animation = animation(pipeline);
        BackgroundPngWriter writer =
            new BackgroundPngWriter(Compression.FAST, WRITER_THREADS, PICTURES_IN_MEMORY);
        Samples samples =
            pipeline.sample(request, animation == null ? shown : shown.andThen(animation))) {
      // At this point the request has been checked against the networks.
      writeRecord.run();
      Iterator<BatchPlace> places = BatchPlace.of(request);
      for (Sample sample : samples) {
        BatchPlace place = places.next();
        if (!job.repetition().map(repeated -> repeated.isCopy(place)).orElse(false)) {
          writer.submit(folder.file(sample.seed()), sample.pixels(), text.of(sample, place));
          progress.finished(1);
        }
      }
      if (animation != null) {
        animation.finish();
      }
    } catch (CancelledException e) {
      // The writer is closed at this point: finished images are on disk.
      progress.end();
      throw new InterruptedRunException(
          ("stopped with %s of %s images written to %s; to resume, run the same command with"
                  + " --resume")
              .formatted(progress.done(), progress.images(), folder.root()),
          e);
    }
  }

  private void warnWithoutAnimation() {
    job.target()
        .animation()
        .filter(_ -> job.rank().isFirst())
        .ifPresent(file ->
            status.print(
                "warning: %s is not written: all images already exist, and nothing is sampled"
                    .formatted(file)));
  }

  /** Returns the animation of the first process, if one was requested. */
  private @Nullable Animation animation(RelayPipeline pipeline) {
    int side = pipeline.stages().getLast().network().resolution();
    return job.target()
        .animation()
        .filter(_ -> job.rank().isFirst())
        .map(file -> Animation.create(file, side))
        .orElse(null);
  }

  private Optional<SamplingResult.Sheet> sheet(List<Long> seeds, SamplingRecord record) {
    PngText text = new PictureText(job, record).ofSheet();
    return job.rank().isFirst()
        ? job.target().grid().flatMap(grid -> SheetFile.write(grid, folder, seeds, text))
        : Optional.empty();
  }

  /** Marks this process as finished and, in the first process, collects all images. */
  private Optional<Path> npz(FinishedRanks finished) {
    Optional<Path> npz = job.target().npz();
    if (npz.isEmpty()) {
      return npz;
    }
    finished.finish();
    if (!job.rank().isFirst()) {
      return Optional.empty();
    }
    Cancellation cancellation = new Cancellation();
    stop.onRequest(cancellation::cancel);
    try {
      finished.await(PATIENCE, cancellation);
      SamplesFile.write(npz.get(), folder, job.seeds(), status, cancellation);
    } catch (CancelledException e) {
      status.clear();
      throw new InterruptedRunException(
          "stopped with all images of this process written to %s, but not %s; to resume, run the"
                  .formatted(folder.root(), npz.get())
              + " same command with --resume",
          e);
    }
    finished.end();
    return npz;
  }
}
