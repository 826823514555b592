package org.relaydiffusion.launch.progress;

import java.util.OptionalDouble;

/**
 * How long the rest of a run takes, from what one image has cost a step in each stage so far: the
 * stages differ by far, so images alone would not tell before the last batch.
 */
final class Pace {
  private final int images;
  private final double[] seconds;
  private final long[] imageSteps;
  private final int[] stepsOfStage;

  /**
   * A run that has not begun.
   *
   * @param images how many it makes
   * @param stages how many stages each of them goes through
   */
  Pace(int images, int stages) {
    this.images = images;
    this.seconds = new double[stages];
    this.imageSteps = new long[stages];
    this.stepsOfStage = new int[stages];
  }

  /** One step of {@code batch} images in stage {@code stage} (from 0) of {@code steps} steps. */
  void step(int stage, int steps, int batch, double took) {
    seconds[stage] += took;
    imageSteps[stage] += batch;
    stepsOfStage[stage] = steps;
  }

  /** Seconds to the end; empty until every stage has made a step. */
  OptionalDouble secondsLeft() {
    double left = 0;
    for (int i = 0; i < seconds.length; i++) {
      if (imageSteps[i] == 0) {
        return OptionalDouble.empty();
      }
      long rest = Math.max(0, (long) images * stepsOfStage[i] - imageSteps[i]);
      left += rest * (seconds[i] / imageSteps[i]);
    }
    return OptionalDouble.of(left);
  }
}
