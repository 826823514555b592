// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.util.Arrays;

/**
 * Represents an image with the colours of a palette by error diffusion (Floyd and Steinberg 1976):
 * the error of each pixel is distributed over its neighbours that follow, so that areas keep their
 * mean colour. Rows alternate in direction, which avoids diagonal patterns. Images whose colours
 * are all in the palette have no errors, and are represented exactly.
 */
final class FloydSteinberg {
  private static final int RED = 16;
  private static final int GREEN = 8;
  private static final int BLUE = 0;

  /** Errors are in units of 1/16, the common denominator of their shares. */
  private static final int UNIT_BITS = 4;

  private FloydSteinberg() {}

  /**
   * Returns the index of the palette's colour for each pixel.
   *
   * @param pixels [H, W, 1 or 3]
   * @return [H, W], unsigned
   */
  static byte[] indices(Pixels pixels, Palette palette) {
    int width = pixels.width();
    byte[] indices = new byte[width * pixels.height()];
    // With a pixel on either side, whose errors are dropped.
    int[] errors = new int[3 * (width + 2)];
    int[] below = new int[errors.length];
    for (int y = 0; y < pixels.height(); y++) {
      boolean isForward = y % 2 == 0;
      int step = isForward ? 3 : -3;
      for (int i = 0; i < width; i++) {
        int x = isForward ? i : width - 1 - i;
        int at = 3 * (x + 1);
        int rgb = Palette.rgb(pixels, y * width + x);
        int red = corrected(rgb >> RED & 0xff, errors[at]);
        int green = corrected(rgb >> GREEN & 0xff, errors[at + 1]);
        int blue = corrected(rgb >> BLUE & 0xff, errors[at + 2]);
        int index = palette.nearest(red, green, blue);
        indices[y * width + x] = (byte) index;
        int found = palette.colour(index);
        spread(red - (found >> RED & 0xff), errors, below, at, step);
        spread(green - (found >> GREEN & 0xff), errors, below, at + 1, step);
        spread(blue - (found >> BLUE & 0xff), errors, below, at + 2, step);
      }
      int[] done = errors;
      errors = below;
      below = done;
      Arrays.fill(below, 0);
    }
    return indices;
  }

  private static int corrected(int value, int error) {
    int rounded = (error + (1 << (UNIT_BITS - 1))) >> UNIT_BITS;
    return Math.clamp((long) value + rounded, 0, 255);
  }

  private static void spread(int error, int[] errors, int[] below, int at, int step) {
    errors[at + step] += 7 * error;
    below[at - step] += 3 * error;
    below[at] += 5 * error;
    below[at + step] += error;
  }
}
