package org.relaydiffusion.diffusion.train;

/**
 * What is known of a set of numbers without keeping them.
 *
 * @param count how many there are
 * @param sum their sum
 * @param squares the sum of their squares
 */
record Moments(double count, double sum, double squares) {
  /** Of no numbers. */
  static final Moments NONE = new Moments(0, 0, 0);

  /** Of one number, rounded to float32 as the reference's statistics are. */
  static Moments of(double value) {
    double v = (float) value;
    return new Moments(1, v, v * v);
  }

  /** Of this set and another. */
  Moments plus(Moments other) {
    return new Moments(count + other.count, sum + other.sum, squares + other.squares);
  }

  /** The mean; NaN of no numbers. */
  double mean() {
    return sum / count;
  }

  /** The standard deviation of the set (not of what it was drawn from); NaN of no numbers. */
  double deviation() {
    if (count < 1 || !Double.isFinite(sum)) {
      return Double.NaN;
    }
    double mean = mean();
    return count == 1 ? 0 : Math.sqrt(Math.max(squares / count - mean * mean, 0));
  }
}
