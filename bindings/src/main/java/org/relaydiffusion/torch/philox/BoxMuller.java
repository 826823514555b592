// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.philox;

import java.lang.foreign.MemorySegment;

/**
 * The Box-Muller transform of u in (0, 1] and an angle: {@code sqrt(-2 ln u) sin} and {@code
 * sqrt(-2 ln u) cos}, in float64 to a few units in the last place and in operations that round as
 * IEEE 754 says, so that every processor gives the same bits. Has buffers, for one thread.
 */
final class BoxMuller {
  /** The bits of sqrt(1/2), from which on a mantissa belongs to the next exponent. */
  private static final long SQRT_HALF = 0x3fe6_a09e_667f_3bcdL;

  private static final long ONE = 0x3ff0_0000_0000_0000L;
  private static final long MANTISSA = 0x000f_ffff_ffff_ffffL;
  private static final int MANTISSA_BITS = 52;

  /** 1.5 2^52, whose last bits are a whole number's, and the bias of exponents. */
  private static final double EXPONENT_SHIFT = 0x1.8p52 + 1023;

  private static final long BITS_OF_SHIFT = 0x4338_0000_0000_0000L;
  private static final double LN_2 = 0.6931471805599453;

  private final long[] mantissas = new long[PhiloxWords.MOST];
  private final long[] exponents = new long[PhiloxWords.MOST];
  private final double[] m = new double[PhiloxWords.MOST];
  private final double[] e = new double[PhiloxWords.MOST];
  private final MemorySegment bitsOfM = MemorySegment.ofArray(mantissas);
  private final MemorySegment bitsOfE = MemorySegment.ofArray(exponents);
  private final MemorySegment memoryOfM = MemorySegment.ofArray(m);
  private final MemorySegment memoryOfE = MemorySegment.ofArray(e);

  /**
   * Computes {@code sqrt(-2 ln u)} of normal numbers. With u = 2^e m, m in [sqrt(1/2), sqrt(2)),
   * and s = (m - 1) / (m + 1), {@code ln u = e ln 2 + 2 atanh s}.
   */
  void radius(double[] u, double[] radius, int count) {
    long bytes = (long) count * Double.BYTES;
    // The compiler vectorises loops over longs or doubles, but none that reads the bits of a
    // double.
    MemorySegment.copy(MemorySegment.ofArray(u), 0, bitsOfM, 0, bytes);
    split(mantissas, exponents, count);
    MemorySegment.copy(bitsOfM, 0, memoryOfM, 0, bytes);
    MemorySegment.copy(bitsOfE, 0, memoryOfE, 0, bytes);
    radius(m, e, radius, count);
  }

  /** Of the bits of numbers, makes those of m, and those of e + {@link #EXPONENT_SHIFT}. */
  private static void split(long[] bits, long[] exponents, int count) {
    for (int i = 0; i < count; i++) {
      long shifted = bits[i] + (ONE - SQRT_HALF);
      exponents[i] = (shifted >>> MANTISSA_BITS) + BITS_OF_SHIFT;
      bits[i] = (shifted & MANTISSA) + SQRT_HALF;
    }
  }

  /** The polynomial is within 5e-18 of atanh. */
  private static void radius(double[] m, double[] e, double[] radius, int count) {
    for (int i = 0; i < count; i++) {
      double f = m[i] - 1;
      double s = f / (2 + f);
      double z = s * s;
      double p = 0.14616585424888623;
      p = Math.fma(p, z, 0.15331710618210773);
      p = Math.fma(p, z, 0.18182889455674947);
      p = Math.fma(p, z, 0.22222211130259878);
      p = Math.fma(p, z, 0.2857142862600327);
      p = Math.fma(p, z, 0.39999999999899444);
      p = Math.fma(p, z, 0.666666666666667);
      double ln = Math.fma(e[i] - EXPONENT_SHIFT, LN_2, Math.fma(s * z, p, 2 * s));
      radius[i] = Math.sqrt(-2 * ln);
    }
  }

  /**
   * Computes {@code radius sin(pi (t - shift))}, where t - shift is -1/2 to 2: by {@code sin(pi r)
   * (-1)^q} with the nearest whole number q and r in [-1/2, 1/2]. The polynomial is within 7e-19.
   */
  static void sines(double[] t, double shift, double[] radius, double[] result, int count) {
    for (int i = 0; i < count; i++) {
      double x = t[i] - shift;
      double q = Math.rint(x);
      double r = x - q;
      double z = r * r;
      double p = 7.697826768224191e-07;
      p = Math.fma(p, z, -2.1903497074626018e-05);
      p = Math.fma(p, z, 0.0004662998161898394);
      p = Math.fma(p, z, -0.007370430505916944);
      p = Math.fma(p, z, 0.0821458865731029);
      p = Math.fma(p, z, -0.5992645293189447);
      p = Math.fma(p, z, 2.5501640398773007);
      p = Math.fma(p, z, -5.167712780049969);
      p = Math.fma(p, z, 3.141592653589793);
      // q is 0, 1 or 2: the sign is 1, -1, 1.
      double sign = 2 * Math.abs(q - 1) - 1;
      result[i] = radius[i] * (sign * (r * p));
    }
  }

  /** Computes {@code radius cos(pi t)}, which is {@code -radius sin(pi (t - 1/2))}. */
  static void cosines(double[] t, double[] radius, double[] result, int count) {
    sines(t, 0.5, radius, result, count);
    for (int i = 0; i < count; i++) {
      result[i] = -result[i];
    }
  }
}
