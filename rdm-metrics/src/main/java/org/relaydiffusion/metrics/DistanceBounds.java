// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

/**
 * Bounds of squared distances, computed from float32 products. Rows x are represented by {@code v =
 * s (x - c)} with a centre c near the middle of the rows, and a power of two s with which elements
 * stay below 2^22; {@code f} is v rounded to float32. With {@code n = |f|^2}, {@code m = |g|^2} and
 * the float32 product {@code p} of f and g, the squared distance times s^2 is {@code n + m - 2p},
 * with an error of at most {@code relative (n + m) + absolute}. This is the sum of the following,
 * with u = 2^-24:
 *
 * <ul>
 *   <li>rounding of the product, in any order, fused or not: {@code 2 |p - f.g| <= 2 g(D) |f| |g|
 *       <= g(D) (n + m)}, where {@code g(D) = D u / (1 - D u)} (Higham, Accuracy and Stability of
 *       Numerical Algorithms, section 3.1), and underflow: D 2^-124 if results are flushed to 0;
 *   <li>rounding of v to f: the error of each element is at most (u + 2^-52) times itself plus
 *       2^-149, so that of the distance is at most this times |f| + |g|, and that of its square
 *       {@code 4.01 u (n + m) + D 2^-123};
 *   <li>float64 arithmetic here and in {@link #squaredDistance}: (3 D + 20) 2^-53 (n + m), and in
 *       the latter underflow: D 2^-1074, times s^2.
 * </ul>
 *
 * <p>{@code g(D + 8)} exceeds the terms in (n + m) for all D up to {@link #MOST_DIMENSIONS}.
 *
 * @param relative the factor of the rows' squared norms
 * @param absolute the constant term
 * @param scale s
 */
record DistanceBounds(double relative, double absolute, double scale) {
  /** The maximum row length for which the bounds are useful. */
  static final int MOST_DIMENSIONS = 1 << 20;

  private static final double U = 0x1p-24;

  /** Returns the bounds for rows of {@code dimensions} elements at scale s. */
  static DistanceBounds of(int dimensions, double scale) {
    double nu = (dimensions + 8) * U;
    double underflow = dimensions * Double.MIN_VALUE * scale * scale;
    return new DistanceBounds(nu / (1 - nu), dimensions * 0x1p-120 + 2 * underflow, scale);
  }

  /**
   * Returns a row's term of a lower bound: that of a pair is the sum of two terms, minus twice the
   * product.
   */
  double lower(double norm) {
    return norm * (1 - relative) - absolute / 2;
  }

  /**
   * Returns a row's term of an upper bound: that of a pair is the sum of two terms, minus twice the
   * product.
   */
  double upper(double norm) {
    return norm * (1 + relative) + absolute / 2;
  }

  /** Converts a squared distance to the scale of the bounds: times s^2. */
  double scaled(double squaredDistance) {
    // In this order, neither step overflows unless the result does.
    return squaredDistance * scale * scale;
  }

  /**
   * Returns the squared distance of two rows in float64, the value on which all results are based.
   * It is symmetric, and 0 for equal rows.
   *
   * @param scratch as long as a row; overwritten
   */
  static double squaredDistance(double[] a, int atA, double[] b, int atB, double[] scratch) {
    int length = scratch.length;
    for (int d = 0; d < length; d++) {
      double difference = a[atA + d] - b[atB + d];
      scratch[d] = difference * difference;
    }
    // Pairwise summation: a sum in a fixed order without a long dependency chain.
    while (length > 1) {
      int rest = length / 2;
      int half = length - rest;
      for (int d = 0; d < rest; d++) {
        scratch[d] += scratch[half + d];
      }
      length = half;
    }
    return scratch[0];
  }
}
