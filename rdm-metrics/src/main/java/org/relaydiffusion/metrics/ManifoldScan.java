package org.relaydiffusion.metrics;

import java.util.Arrays;

/**
 * Finds which rows of two sets lie inside a ball around a row of the other set. float32 decides
 * where its error cannot matter, float64 elsewhere, so the result is that of float64 alone.
 */
final class ManifoldScan implements BlockPairs.Visitor {
  private final DistanceBounds bounds;
  private final float[] radiiA;
  private final float[] radiiB;

  // Several threads may write an element, but only ever true: one that reads the old value only
  // does what another has done. They are read for good after all threads have ended.
  private final boolean[] insideA;
  private final boolean[] insideB;

  /**
   * A scan of two sets.
   *
   * @param radiiA squared radii of the balls around the first set's rows
   * @param radiiB squared radii of the balls around the second set's rows
   */
  ManifoldScan(DistanceBounds bounds, float[] radiiA, float[] radiiB) {
    this.bounds = bounds;
    this.radiiA = radiiA;
    this.radiiB = radiiB;
    insideA = new boolean[radiiA.length];
    insideB = new boolean[radiiB.length];
  }

  /** How many of the first set's rows are inside a ball of the second set. */
  long insideA() {
    return count(insideA);
  }

  /** How many of the second set's rows are inside a ball of the first set. */
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
        // Most pairs are outside both balls: this is the loop's one branch.
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

  /** Squared radii as bounds are measured. */
  private double[] limits(float[] radii, int first, int count) {
    double[] limits = new double[count];
    Arrays.setAll(limits, i -> bounds.scaled(radii[first + i]));
    return limits;
  }
}
