// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.Arrays;

/**
 * Finds nearest neighbours among pairs of blocks. Pairs that are certainly too far apart are
 * excluded with float32; the remaining ones are computed in float64, so the result is exactly that
 * of float64 alone.
 */
final class NearestScan implements BlockPairs.Visitor {
  private final DistanceBounds bounds;
  private final NearestTable table;
  private final Pairs pairs;

  /** Which rows are searched. */
  enum Pairs {
    /** The neighbours of every row of a set within the set, except for itself. */
    WITHIN,
    /** The neighbours of the first set's rows in the second set. */
    FIRST_IN_SECOND
  }

  NearestScan(DistanceBounds bounds, NearestTable table, Pairs pairs) {
    this.bounds = bounds;
    this.table = table;
    this.pairs = pairs;
  }

  @Override
  public void visit(RowBlock a, RowBlock b, float[] products) {
    Side rows = new Side(a, b);
    Side columns = pairs == Pairs.WITHIN ? new Side(b, a) : null;
    double[] rowLimits = rows.limits;
    double[] columnLimits = columns == null ? new double[b.count()] : columns.limits;
    if (columns == null) {
      Arrays.fill(columnLimits, Double.NEGATIVE_INFINITY);
    }
    double[] lowerA = Arrays.stream(a.norms()).map(bounds::lower).toArray();
    double[] lowerB = Arrays.stream(b.norms()).map(bounds::lower).toArray();
    boolean triangle = pairs == Pairs.WITHIN && a.first() == b.first();
    for (int i = 0; i < lowerA.length; i++) {
      double own = lowerA[i];
      int at = i * lowerB.length;
      for (int j = triangle ? i + 1 : 0; j < lowerB.length; j++) {
        double product = products[at + j];
        double lower = own + lowerB[j] - 2 * product;
        // Most pairs are farther apart than either row's neighbours: this is the only branch of the
        // loop.
        if (lower <= rowLimits[i] || lower <= columnLimits[j]) {
          double upper = bounds.upper(a.norms()[i]) + bounds.upper(b.norms()[j]) - 2 * product;
          if (lower <= rowLimits[i]) {
            rows.offer(i, j, lower, upper);
          }
          if (columns != null && lower <= columnLimits[j]) {
            columns.offer(j, i, lower, upper);
          }
        }
      }
    }
    rows.settle();
    if (columns != null) {
      columns.settle();
    }
  }

  /** The rows of one block, whose neighbours are searched in another. */
  private final class Side {
    private final RowBlock mine;
    private final RowBlock others;

    /** Scaled squared distances above which a row has no neighbours. */
    private final double[] limits;

    /** For each row, the k smallest upper bounds in this block, ascending. */
    private final double[] uppers;

    private long[] pending = new long[64];
    private double[] pendingLower = new double[64];
    private int pendingCount;

    Side(RowBlock mine, RowBlock others) {
      this.mine = mine;
      this.others = others;
      limits = table.farthest(mine.first(), mine.count());
      Arrays.setAll(limits, i -> bounds.scaled(limits[i]));
      uppers = new double[mine.count() * table.k()];
      Arrays.fill(uppers, Double.POSITIVE_INFINITY);
    }

    /** Records a candidate. Once k others are certainly nearer, it is not computed. */
    void offer(int row, int other, double lower, double upper) {
      if (pendingCount == pending.length) {
        pending = Arrays.copyOf(pending, 2 * pendingCount);
        pendingLower = Arrays.copyOf(pendingLower, 2 * pendingCount);
      }
      pending[pendingCount] = (long) row << 32 | other;
      pendingLower[pendingCount++] = lower;
      int k = table.k();
      int begin = row * k;
      int at = begin + k - 1;
      if (upper >= uppers[at]) {
        return;
      }
      for (; at > begin && upper < uppers[at - 1]; at--) {
        uppers[at] = uppers[at - 1];
      }
      uppers[at] = upper;
      limits[row] = Math.min(limits[row], uppers[begin + k - 1]);
    }

    /** Computes the distances of the remaining candidates. */
    void settle() {
      double[] scratch = new double[mine.dimensions()];
      for (int i = 0; i < pendingCount; i++) {
        int row = (int) (pending[i] >> 32);
        int other = (int) pending[i];
        if (pendingLower[i] <= limits[row]) {
          double distance = mine.squaredDistance(row, others, other, scratch);
          table.meet(mine.first() + row, others.first() + other, distance);
        }
      }
    }
  }
}
