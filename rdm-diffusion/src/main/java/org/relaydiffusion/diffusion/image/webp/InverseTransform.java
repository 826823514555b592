// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

/** The inverse transforms of VP8's blocks (RFC 6386, sections 14.3 and 14.4). */
final class InverseTransform {
  private InverseTransform() {}

  /**
   * Computes the Walsh-Hadamard transform of the second block, whose results are the DC values of
   * the 16 luma blocks.
   *
   * @param in 16 values
   * @param out 16 blocks of 16 values
   */
  static void spreadSecond(int[] in, int[] out) {
    int[] t = new int[16];
    for (int i = 0; i < 4; i++) {
      int a0 = in[i] + in[12 + i];
      int a1 = in[4 + i] + in[8 + i];
      int a2 = in[4 + i] - in[8 + i];
      int a3 = in[i] - in[12 + i];
      t[i] = a0 + a1;
      t[8 + i] = a0 - a1;
      t[4 + i] = a3 + a2;
      t[12 + i] = a3 - a2;
    }
    for (int i = 0; i < 4; i++) {
      int dc = t[4 * i] + 3;
      int a0 = dc + t[4 * i + 3];
      int a1 = t[4 * i + 1] + t[4 * i + 2];
      int a2 = t[4 * i + 1] - t[4 * i + 2];
      int a3 = dc - t[4 * i + 3];
      out[64 * i] = (short) ((a0 + a1) >> 3);
      out[64 * i + 16] = (short) ((a3 + a2) >> 3);
      out[64 * i + 32] = (short) ((a0 - a1) >> 3);
      out[64 * i + 48] = (short) ((a3 - a2) >> 3);
    }
  }

  /**
   * Adds the inverse transform of a block of coefficients to its prediction.
   *
   * @param in coefficients, 16 from {@code from} on
   * @param pixels values from 0 to 255 with {@link Prediction#STRIDE}
   * @param at offset of the block's first pixel
   */
  static void add(int[] in, int from, int[] pixels, int at) {
    boolean isFlat = true;
    for (int i = 1; i < 16; i++) {
      isFlat &= in[from + i] == 0;
    }
    if (isFlat) {
      addFlat(in[from], pixels, at);
      return;
    }
    int[] t = new int[16];
    for (int i = 0; i < 4; i++) {
      int top = in[from + i];
      int second = in[from + 4 + i];
      int third = in[from + 8 + i];
      int last = in[from + 12 + i];
      int a = top + third;
      int b = top - third;
      int c = bySine(second) - byCosine(last);
      int d = byCosine(second) + bySine(last);
      t[4 * i] = a + d;
      t[4 * i + 1] = b + c;
      t[4 * i + 2] = b - c;
      t[4 * i + 3] = a - d;
    }
    for (int i = 0; i < 4; i++) {
      int dc = t[i] + 4;
      int a = dc + t[8 + i];
      int b = dc - t[8 + i];
      int c = bySine(t[4 + i]) - byCosine(t[12 + i]);
      int d = byCosine(t[4 + i]) + bySine(t[12 + i]);
      int row = at + i * Prediction.STRIDE;
      pixels[row] = clamped(pixels[row] + ((a + d) >> 3));
      pixels[row + 1] = clamped(pixels[row + 1] + ((b + c) >> 3));
      pixels[row + 2] = clamped(pixels[row + 2] + ((b - c) >> 3));
      pixels[row + 3] = clamped(pixels[row + 3] + ((a - d) >> 3));
    }
  }

  private static void addFlat(int dc, int[] pixels, int at) {
    int value = (dc + 4) >> 3;
    if (value == 0) {
      return;
    }
    for (int y = 0; y < 4; y++) {
      int row = at + y * Prediction.STRIDE;
      for (int x = 0; x < 4; x++) {
        pixels[row + x] = clamped(pixels[row + x] + value);
      }
    }
  }

  /** Multiplies by sqrt(2) cos(pi / 8). */
  private static int byCosine(int value) {
    return ((value * 20091) >> 16) + value;
  }

  /** Multiplies by sqrt(2) sin(pi / 8). */
  private static int bySine(int value) {
    return (value * 35468) >> 16;
  }

  /** Clips to the range from 0 to 255. */
  static int clamped(int value) {
    return Math.clamp(value, 0, 255);
  }
}
