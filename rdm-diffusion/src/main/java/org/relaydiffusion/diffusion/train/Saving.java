// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import org.relaydiffusion.OptionException;

/**
 * Which files a training run writes, and when. A tick is {@code tickKimg} thousand images.
 *
 * @param tickKimg thousands of images per tick, above 0
 * @param snapshotTicks ticks between network snapshots; empty for never
 * @param snapshotFormat of the network's file
 * @param stateTicks ticks between training states; empty for never
 * @param stateTime time without a state after which one is saved regardless of ticks; empty for
 *     never
 * @param keptStates number of states to keep, at least 1; all if empty
 * @param sampleTicks ticks between grids of samples; empty for never
 */
public record Saving(
    double tickKimg,
    OptionalInt snapshotTicks,
    SnapshotFormat snapshotFormat,
    OptionalInt stateTicks,
    Optional<Duration> stateTime,
    OptionalInt keptStates,
    OptionalInt sampleTicks) {
  /** The intervals of the reference's training script, and a state at least every half hour. */
  public static final Saving DEFAULT =
      new Saving(
          50,
          OptionalInt.of(50),
          SnapshotFormat.SAFETENSORS,
          OptionalInt.of(500),
          Optional.of(Duration.ofMinutes(30)),
          OptionalInt.empty(),
          OptionalInt.of(50));

  /** The format of network snapshots. */
  public enum SnapshotFormat {
    /** For this project and any safetensors reader. */
    SAFETENSORS,
    /** For the official Python code. */
    PKL,
    /** Both formats. */
    BOTH
  }

  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public Saving {
    if (!(tickKimg > 0) || Double.isInfinite(tickKimg)) {
      throw new OptionException("a tick must be above 0 kimg, but is " + tickKimg);
    }
    check("network snapshots", snapshotTicks);
    check("training states", stateTicks);
    check("sample grids", sampleTicks);
    if (stateTime.filter(time -> !time.isPositive()).isPresent()) {
      throw new OptionException("the time between training states must be above 0");
    }
    if (keptStates.orElse(1) < 1) {
      throw new OptionException(
          "at least 1 training state must be kept, but found " + keptStates.getAsInt());
    }
  }

  private static void check(String what, OptionalInt ticks) {
    if (ticks.orElse(1) < 1) {
      throw new OptionException(
          "the interval of %s must be at least 1 tick, but is %s"
              .formatted(what, ticks.getAsInt()));
    }
  }

  /** Returns a builder that starts from these intervals. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** Builds modified intervals. */
  public static final class Builder {
    private double tickKimg;
    private OptionalInt snapshotTicks;
    private SnapshotFormat snapshotFormat;
    private OptionalInt stateTicks;
    private Optional<Duration> stateTime;
    private OptionalInt keptStates;
    private OptionalInt sampleTicks;

    private Builder(Saving from) {
      tickKimg = from.tickKimg;
      snapshotTicks = from.snapshotTicks;
      snapshotFormat = from.snapshotFormat;
      stateTicks = from.stateTicks;
      stateTime = from.stateTime;
      keptStates = from.keptStates;
      sampleTicks = from.sampleTicks;
    }

    /** Sets the thousands of images per tick ({@code --tick}). */
    public Builder tickKimg(double value) {
      tickKimg = value;
      return this;
    }

    /** Sets the ticks between network snapshots ({@code --snap}). */
    public Builder snapshotTicks(int value) {
      snapshotTicks = OptionalInt.of(value);
      return this;
    }

    /** Writes no network snapshots. */
    public Builder noSnapshots() {
      snapshotTicks = OptionalInt.empty();
      return this;
    }

    /** Sets the format of network snapshots ({@code --snap-format}). */
    public Builder snapshotFormat(SnapshotFormat value) {
      snapshotFormat = value;
      return this;
    }

    /** Sets the ticks between training states ({@code --dump}). */
    public Builder stateTicks(int value) {
      stateTicks = OptionalInt.of(value);
      return this;
    }

    /** Writes no states at ticks: only those by time, and when the run is stopped. */
    public Builder noStateTicks() {
      stateTicks = OptionalInt.empty();
      return this;
    }

    /** Sets the time without a state after which one is saved ({@code --save-minutes}). */
    public Builder stateTime(Duration value) {
      stateTime = Optional.of(value);
      return this;
    }

    /** Writes no states by time. */
    public Builder noStateTime() {
      stateTime = Optional.empty();
      return this;
    }

    /** Sets the number of states to keep ({@code --keep}). */
    public Builder keptStates(int value) {
      keptStates = OptionalInt.of(value);
      return this;
    }

    /** Keeps all states. */
    public Builder keepAllStates() {
      keptStates = OptionalInt.empty();
      return this;
    }

    /** Sets the ticks between grids of samples ({@code --sample-ticks}). */
    public Builder sampleTicks(int value) {
      sampleTicks = OptionalInt.of(value);
      return this;
    }

    /** Writes no grids of samples. */
    public Builder noSamples() {
      sampleTicks = OptionalInt.empty();
      return this;
    }

    /**
     * Builds the intervals.
     *
     * @throws OptionException naming the value that is out of range
     */
    public Saving build() {
      return new Saving(
          tickKimg, snapshotTicks, snapshotFormat, stateTicks, stateTime, keptStates, sampleTicks);
    }
  }
}
