// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

/**
 * The moments of a set of numbers.
 *
 * @param count of the numbers
 * @param sum of the numbers
 * @param squares the sum of their squares
 */
record Moments(double count, double sum, double squares) {
  /** The moments of an empty set. */
  static final Moments NONE = new Moments(0, 0, 0);

  /** Returns the moments of one number, rounded to float32 like the reference's statistics. */
  static Moments of(double value) {
    double v = (float) value;
    return new Moments(1, v, v * v);
  }

  /** Returns the moments of the union with another set. */
  Moments plus(Moments other) {
    return new Moments(count + other.count, sum + other.sum, squares + other.squares);
  }

  /** Returns the mean; NaN for an empty set. */
  double mean() {
    return sum / count;
  }

  /** Returns the population standard deviation; NaN for an empty set. */
  double deviation() {
    if (count < 1 || !Double.isFinite(sum)) {
      return Double.NaN;
    }
    double mean = mean();
    return count == 1 ? 0 : Math.sqrt(Math.max(squares / count - mean * mean, 0));
  }
}
