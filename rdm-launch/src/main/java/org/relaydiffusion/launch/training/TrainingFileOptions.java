package org.relaydiffusion.launch.training;

import java.util.OptionalInt;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.diffusion.train.TrainingOptions.SnapshotFormat;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** Which files a run writes, and when. */
final class TrainingFileOptions implements Section {
  @Option(
      names = "--tick",
      paramLabel = "KIMG",
      description =
          "Thousands of images between status lines; the other intervals are counted in these."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "50")
  double tick;

  @Option(
      names = "--snap",
      paramLabel = "TICKS",
      description =
          "Ticks between network snapshots (network-snapshot-*), 0 for none. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "50")
  int snapshotTicks;

  @Option(
      names = "--snap-format",
      paramLabel = "safetensors|pkl|both",
      completionCandidates = Candidates.SnapshotFormats.class,
      description =
          "What a snapshot is: a .safetensors file, the reference's .pkl, or both. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "safetensors")
  SnapshotFormat snapshotFormat = SnapshotFormat.SAFETENSORS;

  @Option(
      names = "--dump",
      paramLabel = "TICKS",
      description =
          "Ticks between whole states (training-state-*.pt), from which a run goes on; 0 for none"
              + " but the one on SIGTERM. Default: ${DEFAULT-VALUE}.",
      defaultValue = "500")
  int stateTicks;

  @Option(
      names = "--sample-ticks",
      paramLabel = "TICKS",
      description =
          "Ticks between grids of samples (fakes*.png), 0 for none. Default: ${DEFAULT-VALUE}.",
      defaultValue = "50")
  int sampleTicks;

  @Override
  public String heading() {
    return "Files";
  }

  TrainingOptions.Saving saving() {
    return new TrainingOptions.Saving(
        tick,
        ticks("--snap", snapshotTicks),
        snapshotFormat,
        ticks("--dump", stateTicks),
        ticks("--sample-ticks", sampleTicks));
  }

  private static OptionalInt ticks(String option, int ticks) {
    if (ticks < 0) {
      throw new OptionException("%s must be at least 0, but is %s".formatted(option, ticks));
    }
    return ticks == 0 ? OptionalInt.empty() : OptionalInt.of(ticks);
  }
}
