// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import org.relaydiffusion.RdmException;

/**
 * The result of one pass over activations: all elements are finite, with their magnitude and
 * approximate centre.
 *
 * @param count the number of rows
 * @param largest the largest absolute value
 * @param halfMean half of the approximate mean [D]; half, so that no sum overflows
 */
record Survey(long count, double largest, double[] halfMean) {
  private static final int BLOCK_ROWS = 512;

  /**
   * Surveys activations.
   *
   * @throws RdmException naming the source and the row of an element that is not finite
   */
  static Survey of(Activations activations, Workers workers) {
    Totals totals = new Totals(dimensions(activations));
    double weight = 0.5 / Math.max(1, activations.count());
    PlainRows.forEach(
        activations,
        BLOCK_ROWS,
        workers,
        rows -> {
          Totals block = new Totals(rows.dimensions());
          block.add(activations.name(), rows, weight);
          return block;
        },
        totals::add);
    return new Survey(activations.count(), totals.largest, totals.sums);
  }

  /** The partial result of some rows. */
  private static final class Totals {
    private final double[] sums;
    private double largest;

    Totals(int dimensions) {
      sums = new double[dimensions];
    }

    void add(String source, PlainRows rows, double weight) {
      double[] values = rows.values();
      for (int at = 0; at < values.length; at += sums.length) {
        for (int d = 0; d < sums.length; d++) {
          sums[d] += values[at + d] * weight;
        }
        for (int d = 0; d < sums.length; d++) {
          largest = Math.max(largest, Math.abs(values[at + d]));
        }
      }
      // For Math.max, NaN is larger than any other value.
      if (!Double.isFinite(largest)) {
        requireFinite(source, rows);
      }
    }

    void add(Totals later) {
      for (int d = 0; d < sums.length; d++) {
        sums[d] += later.sums[d];
      }
      largest = Math.max(largest, later.largest);
    }
  }

  /** Rejects rows with an infinite or NaN element. */
  static void requireFinite(String source, PlainRows rows) {
    double[] values = rows.values();
    // 0 times a finite number is 0, and NaN for any other.
    double zero = 0;
    for (double x : values) {
      zero += x * 0;
    }
    if (zero == 0) {
      return;
    }
    for (int i = 0; i < values.length; i++) {
      if (!Double.isFinite(values[i])) {
        throw new RdmException(
            "%s: row %s contains %s, but activations must be finite"
                .formatted(source, rows.first() + i / rows.dimensions(), values[i]));
      }
    }
  }

  /** Rejects two sets whose rows have different lengths. */
  static void requireSameDimensions(Activations a, Activations b) {
    if (a.dimensions() != b.dimensions()) {
      throw new RdmException(
          "cannot compare sets of different dimensions: %s has %s, %s has %s"
              .formatted(a.name(), a.dimensions(), b.name(), b.dimensions()));
    }
  }

  /** Returns the length of a row, if it is supported. */
  private static int dimensions(Activations activations) {
    long dimensions = activations.dimensions();
    if (dimensions > DistanceBounds.MOST_DIMENSIONS) {
      throw new RdmException(
          "%s: rows have %s elements, but the maximum is %s"
              .formatted(activations.name(), dimensions, DistanceBounds.MOST_DIMENSIONS));
    }
    return (int) dimensions;
  }
}
