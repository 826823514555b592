// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

/** Conversions between colour spaces in the fixed-point arithmetic of libjpeg and Pillow. */
final class YccColours {
  private static final int SCALE = 16;
  private static final int HALF = 1 << (SCALE - 1);
  private static final int RED_OF_CR = fixed(1.40200);
  private static final int GREEN_OF_CB = fixed(0.34414);
  private static final int GREEN_OF_CR = fixed(0.71414);
  private static final int BLUE_OF_CB = fixed(1.77200);

  private YccColours() {}

  /**
   * Converts luma and chroma to red, green and blue, in place; with four bands, to the
   * complementary inks, leaving the fourth unchanged.
   *
   * @param samples {@code bands} bytes per pixel
   * @param bands 3 or 4
   */
  static void toRgb(byte[] samples, int bands) {
    for (int i = 0; i < samples.length; i += bands) {
      int y = samples[i] & 0xff;
      int cb = (samples[i + 1] & 0xff) - 128;
      int cr = (samples[i + 2] & 0xff) - 128;
      int r = Math.clamp(y + ((RED_OF_CR * cr + HALF) >> SCALE), 0, 255);
      int g = Math.clamp(y + ((HALF - GREEN_OF_CB * cb - GREEN_OF_CR * cr) >> SCALE), 0, 255);
      int b = Math.clamp(y + ((BLUE_OF_CB * cb + HALF) >> SCALE), 0, 255);
      samples[i] = (byte) (bands == 3 ? r : 255 - r);
      samples[i + 1] = (byte) (bands == 3 ? g : 255 - g);
      samples[i + 2] = (byte) (bands == 3 ? b : 255 - b);
    }
  }

  private static int fixed(double factor) {
    return (int) (factor * (1 << SCALE) + 0.5);
  }

  /**
   * Returns the colour left by an ink under black.
   *
   * @param ink cyan, magenta or yellow, 0 to 255
   * @param black 0 to 255
   */
  static byte underBlack(int ink, int black) {
    int light = 255 - black;
    int product = ink * light + 128;
    return (byte) Math.max(0, light - (((product >> 8) + product) >> 8));
  }
}
