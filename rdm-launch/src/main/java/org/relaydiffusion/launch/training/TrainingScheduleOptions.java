package org.relaydiffusion.launch.training;

import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.diffusion.train.TrainingSchedule;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.command.FileNames;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.launch.download.Downloads;
import picocli.CommandLine.Option;

/** How long is trained, and how fast. */
final class TrainingScheduleOptions implements Section {
  /** Numpy's, which orders the reference's data. */
  private static final long HIGHEST_SEED = 0xffff_ffffL;

  @Option(
      names = "--duration",
      paramLabel = "MIMG",
      description =
          "Length of the run in millions of images, cut to whole thousands (unless it is less than"
              + " one). Default: ${DEFAULT-VALUE}.",
      defaultValue = "200")
  double duration;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Images of one step, over all processes. Default: ${DEFAULT-VALUE}.",
      defaultValue = "512")
  int batch;

  @Option(
      names = "--batch-gpu",
      paramLabel = "N",
      description =
          "At most how many images a process takes at once; a step adds up as many rounds as it"
              + " needs. Default: all of its share.")
  @Nullable Integer batchPerRound;

  @Option(
      names = "--lr",
      paramLabel = "X",
      description = "Learning rate after the ramp. Default: ${DEFAULT-VALUE}.",
      defaultValue = "0.0001")
  double learningRate;

  @Option(
      names = "--lr-rampup",
      paramLabel = "KIMG",
      description =
          "Thousands of images over which the learning rate rises from 0. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "10000")
  double rampup;

  @Option(
      names = "--ema",
      paramLabel = "MIMG",
      description =
          "Half-life of the weights' moving average in millions of images, cut to whole thousands"
              + " (unless it is less than one). Default: ${DEFAULT-VALUE}.",
      defaultValue = "0.5")
  double ema;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description =
          "Seed of the initial weights, the data's order and all noise. Default: drawn at random.")
  @Nullable Long seed;

  @Option(
      names = "--transfer",
      paramLabel = "FILE|URL",
      description =
          "Begin with the weights of a .pkl, .pt or .safetensors file, and everything else anew. One"
              + " given by its http or https address is downloaded once, into the cache folder."
              + " Default: none.")
  @Nullable FileLocation transfer;

  @Option(
      names = "--resume",
      paramLabel = "FILE|latest",
      description =
          "Resume from a training-state-*.pt, ours or the reference's; 'latest' is the newest state"
              + " that can be read, of the newest run in --outdir with the same data, --cond, --arch"
              + " and --precond; without one, a new run begins. Default: none.")
  @Nullable String resume;

  @Override
  public String heading() {
    return "Length and speed";
  }

  TrainingSchedule schedule() {
    // A network whose weights are given does not need a short memory at first.
    OptionalDouble ratio =
        transfer != null
            ? OptionalDouble.empty()
            : OptionalDouble.of(TrainingSchedule.DEFAULT_EMA_RAMPUP_RATIO);
    return new TrainingSchedule(
        TrainingSchedule.wholeKimg(duration),
        learningRate,
        rampup,
        TrainingSchedule.wholeKimg(ema),
        ratio);
  }

  TrainingOptions.Batching batching() {
    return new TrainingOptions.Batching(
        batch, batchPerRound == null ? OptionalInt.empty() : OptionalInt.of(batchPerRound));
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
      throw new OptionException("--transfer and --resume cannot be had together");
    }
    if (seed != null && (seed < 0 || seed > HIGHEST_SEED)) {
      throw new OptionException("--seed must be 0 to %s, but is %s".formatted(HIGHEST_SEED, seed));
    }
  }
}
