// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.schedule;

import java.util.Arrays;
import java.util.function.ToDoubleFunction;

/**
 * Moves noise levels to where a measured distance is least: coordinate descent in the logarithm of
 * the levels. The highest and the lowest stay where they are. Each pass tries to move each level in
 * turn towards either neighbour, by a fraction of the gap that is halved whenever a pass finds
 * nothing better.
 *
 * @param passes the maximum number of passes over all levels, at least 1
 * @param evaluations the maximum number of distances that are measured, at least 1
 */
public record LevelSearch(int passes, int evaluations) {
  private static final double FIRST_MOVE = 0.5;
  private static final double LAST_MOVE = 0.02;

  /** Receives each improvement. */
  @FunctionalInterface
  public interface Listener {
    /**
     * Called for the start and after each improvement.
     *
     * @param evaluation number of distances measured so far
     * @param distance the least distance so far
     */
    void improved(int evaluation, double distance);
  }

  /**
   * The result.
   *
   * @param levels the best levels, falling
   * @param distance their distance
   * @param startDistance the distance of the levels that the search began with
   * @param evaluations number of distances that were measured
   */
  @SuppressWarnings("ArrayRecordComponent") // A result, not compared.
  public record Found(double[] levels, double distance, double startDistance, int evaluations) {}

  /** Checks the limits. */
  public LevelSearch {
    if (passes < 1 || evaluations < 1) {
      throw new IllegalArgumentException("a search must have at least one pass and evaluation");
    }
  }

  /**
   * Searches from the given levels.
   *
   * @param start at least two levels, falling, the last one above 0; not modified
   * @param distance measures levels; NaN counts as infinitely far
   * @param listener receives improvements
   */
  public Found search(double[] start, ToDoubleFunction<double[]> distance, Listener listener) {
    double[] best = Arrays.stream(start).map(Math::log).toArray();
    double first = measured(best, distance);
    double least = first;
    int count = 1;
    listener.improved(count, least);
    double move = FIRST_MOVE;
    for (int pass = 0; pass < passes && move >= LAST_MOVE; pass++) {
      boolean better = false;
      for (int i = 1; i < best.length - 1; i++) {
        for (int side : new int[] {-1, 1}) {
          if (count == evaluations) {
            return found(best, least, first, count);
          }
          double[] tried = best.clone();
          tried[i] += move * (best[i + side] - best[i]);
          double value = measured(tried, distance);
          count++;
          if (value < least) {
            least = value;
            best = tried;
            better = true;
            listener.improved(count, least);
            break;
          }
        }
      }
      if (!better) {
        move /= 2;
      }
    }
    return found(best, least, first, count);
  }

  private static Found found(double[] logarithms, double least, double first, int count) {
    return new Found(Arrays.stream(logarithms).map(Math::exp).toArray(), least, first, count);
  }

  private static double measured(double[] logarithms, ToDoubleFunction<double[]> distance) {
    double value = distance.applyAsDouble(Arrays.stream(logarithms).map(Math::exp).toArray());
    return Double.isNaN(value) ? Double.POSITIVE_INFINITY : value;
  }
}
