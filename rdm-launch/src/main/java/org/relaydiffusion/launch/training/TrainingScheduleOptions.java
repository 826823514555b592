// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.train.Batching;
import org.relaydiffusion.diffusion.train.TrainingSchedule;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.command.FileNames;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.launch.download.Downloads;
import picocli.CommandLine.Option;

/** The duration of training, and the learning rate; defaults come from {@link TrainingDefaults}. */
final class TrainingScheduleOptions implements Section {
  /** The maximum seed of NumPy, which orders the reference's data. */
  private static final long HIGHEST_SEED = 0xffff_ffffL;

  @Option(
      names = "--duration",
      paramLabel = "MIMG",
      description =
          "Duration of the run in millions of images, rounded down to whole thousands (unless"
              + " less than"
              + " one). Default: ${DEFAULT-VALUE}.")
  double duration;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Batch size: images per step, over all processes. Default: ${DEFAULT-VALUE}.")
  int batch;

  @Option(
      names = "--batch-gpu",
      paramLabel = "N",
      description =
          "Maximum number of images that a process computes at once; a step accumulates as many"
              + " rounds"
              + " as needed. Default: the process's share of the batch.")
  @Nullable Integer batchPerRound;

  @Option(
      names = "--checkpoint-activations",
      description =
          "Keep only the inputs of the network's blocks for the backward pass, and compute each"
              + " block again there: less memory, more time, the same results. Default: off.")
  boolean checkpointsActivations;

  @Option(
      names = "--lr",
      paramLabel = "X",
      description = "Learning rate after the ramp-up. Default: ${DEFAULT-VALUE}.")
  double learningRate;

  @Option(
      names = "--lr-rampup",
      paramLabel = "KIMG",
      description =
          "Thousands of images over which the learning rate rises from 0. Default:"
              + " ${DEFAULT-VALUE}.")
  double rampup;

  @Option(
      names = "--ema",
      paramLabel = "MIMG",
      description =
          "Half-life of the EMA of the weights in millions of images, rounded down to whole"
              + " thousands"
              + " (unless less than one). Default: ${DEFAULT-VALUE}.")
  double ema;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description =
          "Seed of the initial weights, the order of the data and all noise. Default: random.")
  @Nullable Long seed;

  @Option(
      names = "--transfer",
      paramLabel = "FILE|URL",
      description =
          "Start from the weights of a .pkl, .pt or .safetensors file. An"
              + " http or https URL is downloaded once, into the cache folder."
              + " Default: none.")
  @Nullable FileLocation transfer;

  @Option(
      names = "--resume",
      paramLabel = "FILE|latest",
      description =
          "Resume from a training-state-*.pt, also of the reference; 'latest' is the newest"
              + " readable"
              + " state of the newest run in --outdir with the same data, --cond, --arch"
              + " and --precond; if there is none, a new run starts. Default: none.")
  @Nullable String resume;

  @Override
  public String heading() {
    return "Duration and learning rate";
  }

  TrainingSchedule schedule() {
    // A network whose weights are given does not need a short half-life at first.
    OptionalDouble ratio =
        transfer != null ? OptionalDouble.empty() : TrainingSchedule.DEFAULT.emaRampupRatio();
    return new TrainingSchedule(
        TrainingSchedule.wholeKimg(duration),
        learningRate,
        rampup,
        TrainingSchedule.wholeKimg(ema),
        ratio);
  }

  Batching batching() {
    return new Batching(
        batch,
        batchPerRound == null ? OptionalInt.empty() : OptionalInt.of(batchPerRound),
        checkpointsActivations ? Batching.Activations.RECOMPUTED : Batching.Activations.KEPT);
  }

  TrainingJob.Start start(Downloads downloads) {
    if (transfer != null) {
      return new TrainingJob.Start.Transfer(downloads.locate(transfer));
    }
    if (resume == null) {
      return new TrainingJob.Start.Fresh();
    }
    return resume.equals("latest")
        ? new TrainingJob.Start.Latest()
        : new TrainingJob.Start.Resume(FileNames.path(resume));
  }

  OptionalLong seed() {
    return seed == null ? OptionalLong.empty() : OptionalLong.of(seed);
  }

  void check() {
    if (transfer != null && resume != null) {
      throw new OptionException("--transfer and --resume are mutually exclusive");
    }
    if (seed != null && (seed < 0 || seed > HIGHEST_SEED)) {
      throw new OptionException("--seed must be 0 to %s, but is %s".formatted(HIGHEST_SEED, seed));
    }
  }
}
