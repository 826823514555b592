// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.train.Saving;
import org.relaydiffusion.diffusion.train.Saving.SnapshotFormat;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.Converters;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** The files written by a run, and their intervals; defaults come from {@link TrainingDefaults}. */
final class TrainingFileOptions implements Section {
  private static final double NANOS_PER_MINUTE = 60e9;
  private static final int MOST_MINUTES = 1_000_000;

  @Option(
      names = "--tick",
      paramLabel = "KIMG",
      description =
          "Thousands of images per tick; there is a status line per tick, and other intervals are"
              + " in ticks."
              + " Default: ${DEFAULT-VALUE}.")
  double tick;

  @Option(
      names = "--snap",
      paramLabel = "TICKS",
      description =
          "Ticks between network snapshots (network-snapshot-*); 0 for none. Default:"
              + " ${DEFAULT-VALUE}.")
  int snapshotTicks;

  @Option(
      names = "--snap-format",
      paramLabel = "safetensors|pkl|both",
      completionCandidates = Candidates.SnapshotFormats.class,
      description =
          "Format of snapshots: .safetensors, the reference's .pkl, or both. Default:"
              + " ${DEFAULT-VALUE}.")
  SnapshotFormat snapshotFormat = SnapshotFormat.SAFETENSORS;

  @Option(
      names = "--dump",
      paramLabel = "TICKS",
      description =
          "Ticks between training states (training-state-*.pt), from which a run resumes; 0 for"
              + " none"
              + " except those of --save-minutes and on SIGTERM. Default: ${DEFAULT-VALUE}.")
  int stateTicks;

  @Option(
      names = "--save-minutes",
      paramLabel = "MINUTES",
      description =
          "Minutes after which a state is saved if there was none, regardless of ticks; 0 for"
              + " never."
              + " Default: ${DEFAULT-VALUE}.")
  double stateMinutes;

  @Option(
      names = "--keep",
      paramLabel = "N",
      description =
          "Number of states to keep; an older one is deleted once a newer one is"
              + " complete. Default: all.")
  @Nullable Integer keptStates;

  @Option(
      names = "--sample-ticks",
      paramLabel = "TICKS",
      description =
          "Ticks between grids of samples (fakes*.png); 0 for none. Default: ${DEFAULT-VALUE}.")
  int sampleTicks;

  @Override
  public String heading() {
    return "Files";
  }

  Saving saving() {
    return new Saving(
        tick,
        ticks("--snap", snapshotTicks),
        snapshotFormat,
        ticks("--dump", stateTicks),
        stateTime(),
        kept(),
        ticks("--sample-ticks", sampleTicks));
  }

  private Optional<Duration> stateTime() {
    if (!(stateMinutes >= 0 && stateMinutes <= MOST_MINUTES)) {
      throw new OptionException(
          "--save-minutes must be 0 to %s, but is %s"
              .formatted(MOST_MINUTES, Converters.text(stateMinutes)));
    }
    Duration time = Duration.ofNanos((long) (stateMinutes * NANOS_PER_MINUTE));
    return time.isPositive() ? Optional.of(time) : Optional.empty();
  }

  private OptionalInt kept() {
    if (keptStates == null) {
      return OptionalInt.empty();
    }
    if (keptStates < 1) {
      throw new OptionException("--keep must be at least 1, but is " + keptStates);
    }
    return OptionalInt.of(keptStates);
  }

  private static OptionalInt ticks(String option, int ticks) {
    if (ticks < 0) {
      throw new OptionException("%s must be at least 0, but is %s".formatted(option, ticks));
    }
    return ticks == 0 ? OptionalInt.empty() : OptionalInt.of(ticks);
  }
}
