// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.progress;

import java.util.OptionalDouble;

/**
 * Estimates the remaining time of a run from the time per image and step in each stage so far.
 * Since the stages differ widely, the number of finished images alone would not suffice before the
 * last batch.
 */
final class Pace {
  private final int images;
  private final double[] seconds;
  private final long[] imageSteps;
  private final int[] stepsOfStage;

  /**
   * Creates the estimate of a run that has not begun.
   *
   * @param images number of images
   * @param stages number of stages of each image
   */
  Pace(int images, int stages) {
    this.images = images;
    this.seconds = new double[stages];
    this.imageSteps = new long[stages];
    this.stepsOfStage = new int[stages];
  }

  /**
   * Records a step of {@code batch} images in stage {@code stage} (from 0) of {@code steps} steps.
   */
  void step(int stage, int steps, int batch, double took) {
    seconds[stage] += took;
    imageSteps[stage] += batch;
    stepsOfStage[stage] = steps;
  }

  /** Returns the remaining seconds; empty until every stage has performed a step. */
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
