// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.Arrays;
import org.relaydiffusion.RdmException;

/**
 * The nearest neighbours of rows found so far, ordered by distance, then by index. The final
 * content does not depend on the order of insertion.
 */
final class NearestTable {
  private final int k;
  private final double[] distances;
  private final long[] rows;

  /**
   * Creates a table for {@code count} rows, whose {@code k} nearest are at infinite distance.
   *
   * @param name the name of the rows in messages
   */
  NearestTable(String name, long count, int k) {
    if (count > Integer.MAX_VALUE / k) {
      throw new RdmException(
          "%s: the %s nearest of %s rows do not fit in an array".formatted(name, k, count));
    }
    this.k = k;
    distances = new double[(int) count * k];
    rows = new long[distances.length];
    Arrays.fill(distances, Double.POSITIVE_INFINITY);
    Arrays.fill(rows, Long.MAX_VALUE);
  }

  int k() {
    return k;
  }

  /**
   * Returns the squared distance of neighbour {@code rank} of row {@code row}; 0 is the nearest.
   */
  double squaredDistance(long row, int rank) {
    return distances[(int) row * k + rank];
  }

  /** Returns the index of that neighbour. */
  long neighbour(long row, int rank) {
    return rows[(int) row * k + rank];
  }

  /**
   * Returns the squared distances of the k-th neighbours of rows from {@code first} on; others are
   * too far.
   */
  synchronized double[] farthest(long first, int count) {
    double[] farthest = new double[count];
    for (int i = 0; i < count; i++) {
      farthest[i] = squaredDistance(first + i, k - 1);
    }
    return farthest;
  }

  /** Adds a new neighbour of row {@code row} at a squared distance. */
  synchronized void meet(long row, long neighbour, double squaredDistance) {
    int begin = (int) row * k;
    int at = begin + k - 1;
    if (!isBefore(squaredDistance, neighbour, at)) {
      return;
    }
    while (at > begin && isBefore(squaredDistance, neighbour, at - 1)) {
      distances[at] = distances[at - 1];
      rows[at] = rows[at - 1];
      at--;
    }
    distances[at] = squaredDistance;
    rows[at] = neighbour;
  }

  private boolean isBefore(double squaredDistance, long neighbour, int at) {
    int order = Double.compare(squaredDistance, distances[at]);
    return order < 0 || (order == 0 && neighbour < rows[at]);
  }
}
