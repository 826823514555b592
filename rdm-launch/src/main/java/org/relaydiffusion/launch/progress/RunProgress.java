// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.progress;

import java.util.OptionalDouble;
import java.util.function.LongSupplier;

/**
 * Shows the progress of a sampling run: stage, step, finished images, images per second, time left.
 * Called by the sampling thread after every step.
 */
public final class RunProgress {
  private static final double NANOS = 1e9;

  private final StatusLine line;
  private final LongSupplier nanoTime;
  private final int images;
  private final int firstStage;
  private final Pace pace;
  private final long began;
  private long last;
  private int done;

  /**
   * Creates the progress of a run that begins now.
   *
   * @param line displays the progress
   * @param images number of images of this process
   * @param firstStage the number of the first stage that runs, from 1
   * @param stages number of stages that run
   * @param nanoTime the clock, as {@link System#nanoTime}
   */
  public RunProgress(
      StatusLine line, int images, int firstStage, int stages, LongSupplier nanoTime) {
    this.line = line;
    this.nanoTime = nanoTime;
    this.images = images;
    this.firstStage = firstStage;
    this.pace = new Pace(images, stages);
    this.began = nanoTime.getAsLong();
    this.last = began;
  }

  /**
   * Called after each step.
   *
   * @param stage its number, from 1
   * @param step from 1 to {@code steps}
   * @param steps of this stage
   * @param batch number of images in this batch
   */
  public void step(int stage, int step, int steps, int batch) {
    long now = nanoTime.getAsLong();
    pace.step(stage - firstStage, steps, batch, (now - last) / NANOS);
    last = now;
    if (line.isDue()) {
      line.show(text("stage %s step %s/%s".formatted(stage, step, steps)));
    }
  }

  /** Called when {@code count} more images are finished. */
  public void finished(int count) {
    done += count;
    // Do not count writing the images as part of the next step.
    last = nanoTime.getAsLong();
  }

  /** Returns the number of finished images. */
  public int done() {
    return done;
  }

  /** Returns the total number of images. */
  public int images() {
    return images;
  }

  /** Returns the seconds since the run began. */
  public double seconds() {
    return (nanoTime.getAsLong() - began) / NANOS;
  }

  /** Removes the status line from the terminal. */
  public void end() {
    line.clear();
  }

  private String text(String where) {
    StringBuilder text = new StringBuilder(where);
    text.append("  %s/%s images".formatted(done, images));
    if (done > 0) {
      text.append("  %s images/s".formatted(Durations.rate(done / seconds())));
    }
    OptionalDouble left = pace.secondsLeft();
    if (left.isPresent()) {
      text.append("  %s left".formatted(Durations.text(left.getAsDouble())));
    }
    return text.toString();
  }
}
