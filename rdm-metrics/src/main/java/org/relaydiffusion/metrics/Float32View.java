// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

/**
 * The transformation of rows to float32: centred near their middle, so that a large common offset
 * costs no precision, and scaled so that no square overflows, nor underflows unless it is
 * negligible.
 *
 * @param scaledCentre s c [D]
 * @param bounds the bounds of distances in this view; its scale is s
 */
record Float32View(double[] scaledCentre, DistanceBounds bounds) {
  /** The exponent of the largest element. */
  private static final int LARGEST_EXPONENT = 20;

  /**
   * The limit at which s would overflow; elements that small have squares that are 0 in float64.
   */
  private static final int MOST_EXPONENT = 1000;

  /** Returns the view of one set of rows. */
  static Float32View of(Survey survey) {
    return of(survey.largest(), survey.halfMean());
  }

  /** Returns the common view of two sets. */
  static Float32View of(Survey a, Survey b) {
    double weight = (double) a.count() / (a.count() + b.count());
    double[] centre = new double[a.halfMean().length];
    for (int d = 0; d < centre.length; d++) {
      centre[d] = a.halfMean()[d] * weight + b.halfMean()[d] * (1 - weight);
    }
    return of(Math.max(a.largest(), b.largest()), centre);
  }

  private static Float32View of(double largest, double[] halfCentre) {
    int exponent =
        largest == 0 ? 0 : Math.min(MOST_EXPONENT, LARGEST_EXPONENT - Math.getExponent(largest));
    double scale = Math.scalb(1.0, exponent);
    double[] centre = new double[halfCentre.length];
    for (int d = 0; d < centre.length; d++) {
      centre[d] = 2 * (halfCentre[d] * scale);
    }
    return new Float32View(centre, DistanceBounds.of(centre.length, scale));
  }

  /**
   * Converts rows to float32.
   *
   * @param rows concatenated, finite
   * @param rounded receives the rounded rows
   * @param norms receives the squared norms of the rounded rows
   */
  void round(double[] rows, float[] rounded, double[] norms) {
    int dimensions = scaledCentre.length;
    double scale = bounds.scale();
    for (int row = 0; row < norms.length; row++) {
      int at = row * dimensions;
      double norm = 0;
      for (int d = 0; d < dimensions; d++) {
        float f = (float) (rows[at + d] * scale - scaledCentre[d]);
        rounded[at + d] = f;
        norm += (double) f * f;
      }
      norms[row] = norm;
    }
  }
}
