// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.function.DoubleFunction;

/**
 * Formats the elements of one tensor to a common width: PyTorch's {@code _Formatter}, with its
 * default precision of four digits. Digits are rounded as C's {@code printf} rounds them: half to
 * even, from the element's exact value.
 */
final class ElementFormat {
  private static final int PRECISION = 4;
  private static final double LARGEST_RATIO = 1000;
  private static final double LARGEST = 1e8;
  private static final double SMALLEST = 1e-4;

  private final String[] texts;
  private final int width;

  private ElementFormat(String[] texts, int width) {
    this.texts = texts;
    this.width = width;
  }

  /** Of integers. */
  static ElementFormat of(long[] values) {
    return alike(Arrays.stream(values).mapToObj(Long::toString).toArray(String[]::new));
  }

  /** Of truth values: 0 is {@code False}, everything else {@code True}. */
  static ElementFormat ofTruths(long[] values) {
    return alike(
        Arrays.stream(values).mapToObj(v -> v == 0 ? "False" : "True").toArray(String[]::new));
  }

  private static ElementFormat alike(String[] texts) {
    return new ElementFormat(texts, Arrays.stream(texts).mapToInt(String::length).max().orElse(1));
  }

  /** Of floating-point numbers. */
  static ElementFormat of(double[] values) {
    double[] counted = Arrays.stream(values).filter(v -> v != 0 && Double.isFinite(v)).toArray();
    double smallest = Arrays.stream(counted).map(Math::abs).min().orElse(1);
    double largest = Arrays.stream(counted).map(Math::abs).max().orElse(1);
    boolean scientific =
        largest / smallest > LARGEST_RATIO || largest > LARGEST || smallest < SMALLEST;
    boolean whole = Arrays.stream(counted).allMatch(v -> v == Math.ceil(v));
    // The point after a whole number is what tells it from an integer.
    DoubleFunction<String> format =
        scientific
            ? ElementFormat::scientific
            : whole ? v -> fixed(v, 0) + (Double.isFinite(v) ? "." : "") : v -> fixed(v, PRECISION);
    // Zeros, infinities and NaN take no part in the width.
    int width = Arrays.stream(counted).mapToObj(format).mapToInt(String::length).max().orElse(1);
    return new ElementFormat(Arrays.stream(values).mapToObj(format).toArray(String[]::new), width);
  }

  /** The number of characters that every element is filled up to, by spaces before it. */
  int width() {
    return width;
  }

  /** Element i, filled up. */
  String text(int i) {
    return " ".repeat(Math.max(0, width - texts[i].length())) + texts[i];
  }

  /** {@code %.<digits>f}. */
  private static String fixed(double value, int digits) {
    return Double.isFinite(value)
        ? sign(value)
            + new BigDecimal(Math.abs(value))
                .setScale(digits, RoundingMode.HALF_EVEN)
                .toPlainString()
        : notFinite(value);
  }

  /** {@code %.4e}. */
  private static String scientific(double value) {
    if (!Double.isFinite(value)) {
      return notFinite(value);
    }
    BigDecimal rounded =
        new BigDecimal(Math.abs(value))
            .round(new MathContext(PRECISION + 1, RoundingMode.HALF_EVEN));
    int exponent = rounded.signum() == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
    String digits = rounded.movePointLeft(exponent).setScale(PRECISION).toPlainString();
    String power = Integer.toString(Math.abs(exponent));
    return sign(value)
        + digits
        + (exponent < 0 ? "e-" : "e+")
        + (power.length() < 2 ? "0" : "")
        + power;
  }

  /** Of -0.0 too, as {@code printf} has it. */
  private static String sign(double value) {
    return Double.doubleToRawLongBits(value) < 0 ? "-" : "";
  }

  private static String notFinite(double value) {
    return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
}
