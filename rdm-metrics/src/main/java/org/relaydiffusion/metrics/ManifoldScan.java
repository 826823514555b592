// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.Arrays;

/**
 * Determines which rows of two sets are inside a ball around a row of the other set. float32 is
 * used where its error bound decides, float64 otherwise, so the result is exactly that of float64
 * alone.
 */
final class ManifoldScan implements BlockPairs.Visitor {
  private final DistanceBounds bounds;
  private final float[] radiiA;
  private final float[] radiiB;

  // Several threads may write an element, but only the value true, so a stale read is harmless. The
  // elements are read after all threads have ended.
  private final boolean[] insideA;
  private final boolean[] insideB;

  /**
   * Creates a scan of two sets.
   *
   * @param radiiA squared radii of the balls around the rows of the first set
   * @param radiiB squared radii of the balls around the rows of the second set
   */
  ManifoldScan(DistanceBounds bounds, float[] radiiA, float[] radiiB) {
    this.bounds = bounds;
    this.radiiA = radiiA;
    this.radiiB = radiiB;
    insideA = new boolean[radiiA.length];
    insideB = new boolean[radiiB.length];
  }

  /** Returns how many rows of the first set are inside a ball of the second set. */
  long insideA() {
    return count(insideA);
  }

  /** Returns how many rows of the second set are inside a ball of the first set. */
  long insideB() {
    return count(insideB);
  }

  private static long count(boolean[] inside) {
    long count = 0;
    for (boolean b : inside) {
      count += b ? 1 : 0;
    }
    return count;
  }

  @Override
  public void visit(RowBlock a, RowBlock b, float[] products) {
    int firstA = Math.toIntExact(a.first());
    int firstB = Math.toIntExact(b.first());
    double[] limitsA = limits(radiiA, firstA, a.count());
    double[] limitsB = limits(radiiB, firstB, b.count());
    double[] scratch = new double[a.dimensions()];
    double[] lowerA = Arrays.stream(a.norms()).map(bounds::lower).toArray();
    double[] lowerB = Arrays.stream(b.norms()).map(bounds::lower).toArray();
    for (int i = 0; i < lowerA.length; i++) {
      double own = lowerA[i];
      double limit = limitsA[i];
      int at = i * lowerB.length;
      for (int j = 0; j < lowerB.length; j++) {
        double product = products[at + j];
        double lower = own + lowerB[j] - 2 * product;
        // Most pairs are outside both balls: this is the only branch of the loop.
        if (lower <= limit || lower <= limitsB[j]) {
          double upper = bounds.upper(a.norms()[i]) + bounds.upper(b.norms()[j]) - 2 * product;
          boolean inBallOfA = lower <= limit && !insideB[firstB + j];
          boolean inBallOfB = lower <= limitsB[j] && !insideA[firstA + i];
          boolean sure = (!inBallOfA || upper <= limit) && (!inBallOfB || upper <= limitsB[j]);
          if (!sure) {
            double distance = a.squaredDistance(i, b, j, scratch);
            inBallOfA &= distance <= radiiA[firstA + i];
            inBallOfB &= distance <= radiiB[firstB + j];
          }
          if (inBallOfA) {
            insideB[firstB + j] = true;
          }
          if (inBallOfB) {
            insideA[firstA + i] = true;
          }
        }
      }
    }
  }

  /** Converts squared radii to the scale of the bounds. */
  private double[] limits(float[] radii, int first, int count) {
    double[] limits = new double[count];
    Arrays.setAll(limits, i -> bounds.scaled(radii[first + i]));
    return limits;
  }
}
