package org.relaydiffusion.metrics;

import java.util.Arrays;
import org.relaydiffusion.RdmException;

/**
 * For each of some rows, the nearest others that have been met so far: by distance, and where that
 * is equal by number. What it ends with does not depend on the order in which they were met.
 */
final class NearestTable {
  private final int k;
  private final double[] distances;
  private final long[] rows;

  /**
   * A table for {@code count} rows, all of whose {@code k} nearest are infinitely far away.
   *
   * @param name what messages call the rows
   */
  NearestTable(String name, long count, int k) {
    if (count > Integer.MAX_VALUE / k) {
      throw new RdmException(
          "%s: the %s nearest of %s rows are too many to hold".formatted(name, k, count));
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

  /** The squared distance of row {@code row}'s nearest but {@code rank}; 0 is the nearest. */
  double squaredDistance(long row, int rank) {
    return distances[(int) row * k + rank];
  }

  /** The number of that neighbour. */
  long neighbour(long row, int rank) {
    return rows[(int) row * k + rank];
  }

  /** The squared distances of the k-th nearest of rows {@code first} and on: others are too far. */
  synchronized double[] farthest(long first, int count) {
    double[] farthest = new double[count];
    for (int i = 0; i < count; i++) {
      farthest[i] = squaredDistance(first + i, k - 1);
    }
    return farthest;
  }

  /** Row {@code row} has {@code neighbour}, which it has not met, at that squared distance. */
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
