// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.schedule;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * Powers correctly rounded to float64, so that a schedule has the same bits on every machine; they
 * nearly always equal those of glibc's {@code pow}, which the reference's scalar arithmetic uses.
 * Java's own differ from it in one of fourteen cases. Slow (tens of microseconds), for the few
 * values of a schedule.
 */
final class Power {
  private static final MathContext DIGITS = new MathContext(45);

  /** A term below this value no longer changes a sum of magnitude 1. */
  private static final BigDecimal SMALL = BigDecimal.ONE.movePointLeft(46);

  private static final BigDecimal LN_2 = lnNearOne(BigDecimal.TWO);

  private Power() {}

  /**
   * Computes {@code base^exponent}.
   *
   * @param base finite, at least 0
   * @param exponent finite
   */
  static double of(double base, double exponent) {
    double rough = StrictMath.pow(base, exponent);
    if (rough < Double.MIN_NORMAL || Double.isInfinite(rough) || rough == 1) {
      return rough;
    }
    // Subnormal numbers have an exponent below that of getExponent.
    int scale =
        base < Double.MIN_NORMAL ? Math.getExponent(base * 0x1p54) - 54 : Math.getExponent(base);
    BigDecimal mantissa = new BigDecimal(base).divide(powerOfTwo(scale), DIGITS);
    BigDecimal ln = lnNearOne(mantissa).add(LN_2.multiply(BigDecimal.valueOf(scale)), DIGITS);
    BigDecimal product = ln.multiply(new BigDecimal(exponent), DIGITS);
    BigDecimal twos = product.divide(LN_2, DIGITS).setScale(0, RoundingMode.HALF_EVEN);
    BigDecimal rest = product.subtract(twos.multiply(LN_2), DIGITS);
    return Math.scalb(exp(rest).doubleValue(), twos.intValueExact());
  }

  private static BigDecimal powerOfTwo(int exponent) {
    BigDecimal power = BigDecimal.TWO.pow(Math.abs(exponent));
    return exponent < 0 ? BigDecimal.ONE.divide(power) : power;
  }

  /** Computes {@code ln x = 2 artanh((x - 1) / (x + 1))} by its series, for x from 1 to 2. */
  private static BigDecimal lnNearOne(BigDecimal x) {
    BigDecimal z = x.subtract(BigDecimal.ONE).divide(x.add(BigDecimal.ONE), DIGITS);
    BigDecimal square = z.multiply(z, DIGITS);
    BigDecimal sum = BigDecimal.ZERO;
    BigDecimal power = z;
    for (int n = 1; power.abs().compareTo(SMALL) > 0; n += 2) {
      sum = sum.add(power.divide(BigDecimal.valueOf(n), DIGITS), DIGITS);
      power = power.multiply(square, DIGITS);
    }
    return sum.multiply(BigDecimal.TWO);
  }

  /** Computes the exponential series, for x of magnitude at most 1/2. */
  private static BigDecimal exp(BigDecimal x) {
    BigDecimal sum = BigDecimal.ZERO;
    BigDecimal term = BigDecimal.ONE;
    for (int n = 1; term.abs().compareTo(SMALL) > 0; n++) {
      sum = sum.add(term, DIGITS);
      term = term.multiply(x, DIGITS).divide(BigDecimal.valueOf(n), DIGITS);
    }
    return sum;
  }
}
