package org.relaydiffusion.metrics;

/**
 * Bounds of squared distances, from float32 products. Rows x are looked at as {@code v = s (x - c)}
 * with a centre c, near the middle of the rows, and a power of two s, with which elements stay
 * below 2^22; {@code f} is v rounded to float32. With {@code n = |f|^2}, {@code m = |g|^2} and the
 * float32 product {@code p} of f and g, the squared distance times s^2 is {@code n + m - 2p}, but
 * for an error of at most {@code relative (n + m) + absolute}. That is the sum of, with u = 2^-24:
 *
 * <ul>
 *   <li>rounding of the product, in any order, fused or not: {@code 2 |p - f.g| <= 2 g(D) |f| |g|
 *       <= g(D) (n + m)}, where {@code g(D) = D u / (1 - D u)} (Higham, Accuracy and Stability of
 *       Numerical Algorithms, section 3.1), and what underflows in it: D 2^-124 if that is flushed
 *       to 0;
 *   <li>rounding of v to f: each element is off by at most (u + 2^-52) times itself and 2^-149, so
 *       the distance is off by that times |f| + |g|, and its square by {@code 4.01 u (n + m) + D
 *       2^-123};
 *   <li>float64 arithmetic here and in {@link #squaredDistance}: (3 D + 20) 2^-53 (n + m), and in
 *       the latter what underflows: D 2^-1074, times s^2.
 * </ul>
 *
 * <p>{@code g(D + 8)} is larger than the parts in (n + m) for all D up to {@link #MOST_DIMENSIONS}.
 *
 * @param relative the part that grows with the rows' squared norms
 * @param absolute the part that does not
 * @param scale s
 */
record DistanceBounds(double relative, double absolute, double scale) {
  /** The longest rows for which the bounds are worth anything. */
  static final int MOST_DIMENSIONS = 1 << 20;

  private static final double U = 0x1p-24;

  /** The bounds for rows of {@code dimensions} elements, seen at the scale s. */
  static DistanceBounds of(int dimensions, double scale) {
    double nu = (dimensions + 8) * U;
    double underflow = dimensions * Double.MIN_VALUE * scale * scale;
    return new DistanceBounds(nu / (1 - nu), dimensions * 0x1p-120 + 2 * underflow, scale);
  }

  /** A row's part of a lower bound: that of a pair is the sum of two, less twice the product. */
  double lower(double norm) {
    return norm * (1 - relative) - absolute / 2;
  }

  /** A row's part of an upper bound: that of a pair is the sum of two, less twice the product. */
  double upper(double norm) {
    return norm * (1 + relative) + absolute / 2;
  }

  /** A squared distance as bounds are measured: times s^2. */
  double scaled(double squaredDistance) {
    // In this order neither step overflows unless the result does.
    return squaredDistance * scale * scale;
  }

  /**
   * The squared distance of two rows in float64, the exact value that all results are made of. It
   * is the same for both orders of the two, and 0 for equal rows.
   *
   * @param scratch as long as a row; overwritten
   */
  static double squaredDistance(double[] a, int atA, double[] b, int atB, double[] scratch) {
    int length = scratch.length;
    for (int d = 0; d < length; d++) {
      double difference = a[atA + d] - b[atB + d];
      scratch[d] = difference * difference;
    }
    // Folded in halves, which is a sum in a fixed order that needs no waiting for the last one.
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
