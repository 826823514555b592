// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.philox;

/** Words as numbers above 0: cuRAND's conversions, which add half a step. */
final class Units {
  private static final float STEP_32 = 0x1p-32f;
  private static final double STEP_53 = 0x1p-53;
  private static final int SHIFT = 53 - 32;

  private Units() {}

  /**
   * Computes {@code (x + 1/2) 2^-32 scale} in float32, by one fused multiply-add after x was
   * rounded: up to {@code scale}, which may be reached.
   */
  static void single(long[] x, float scale, double[] result, int count) {
    float step = STEP_32 * scale;
    float half = step / 2;
    for (int i = 0; i < count; i++) {
      result[i] = Math.fma((float) x[i], step, half);
    }
  }

  /** Computes {@code (z + 1/2) 2^-53 scale} of the 53-bit number {@code z = x xor (y 2^21)}. */
  static void twice(long[] x, long[] y, double scale, double[] result, int count) {
    double step = STEP_53 * scale;
    double half = step / 2;
    for (int i = 0; i < count; i++) {
      result[i] = (x[i] ^ (y[i] << SHIFT)) * step + half;
    }
  }
}
