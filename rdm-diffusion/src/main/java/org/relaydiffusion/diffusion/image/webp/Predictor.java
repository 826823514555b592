// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

/**
 * The fourteen predictors of VP8L from the pixels to the left, above, upper left and upper right
 * (RFC 9649, section 3.5.1). The upper right neighbour of the last pixel of a row is the first
 * pixel of that row itself.
 */
final class Predictor {
  private static final int BLACK = 0xff000000;

  private Predictor() {}

  /**
   * Adds predictions to differences, from left to right.
   *
   * @param mode 0 to 15, of which the last two are equal to 0
   * @param p the image, in which all previous pixels are complete
   * @param from the first pixel, not in the first row or column
   * @param end after the last one
   */
  static void add(int mode, int[] p, int from, int end, int width) {
    for (int i = from; i < end; i++) {
      p[i] = sum(p[i], predict(mode, p, i, width));
    }
  }

  private static int predict(int mode, int[] p, int i, int width) {
    int left = p[i - 1];
    int top = p[i - width];
    int topLeft = p[i - width - 1];
    int topRight = p[i - width + 1];
    return switch (mode) {
      case 1 -> left;
      case 2 -> top;
      case 3 -> topRight;
      case 4 -> topLeft;
      case 5 -> mean(mean(left, topRight), top);
      case 6 -> mean(left, topLeft);
      case 7 -> mean(left, top);
      case 8 -> mean(topLeft, top);
      case 9 -> mean(top, topRight);
      case 10 -> mean(mean(left, topLeft), mean(top, topRight));
      case 11 -> nearer(left, top, topLeft);
      case 12 -> gradient(left, top, topLeft);
      case 13 -> halfGradient(mean(left, top), topLeft);
      default -> BLACK;
    };
  }

  /** Adds channel by channel, without carry. */
  static int sum(int a, int b) {
    int alphaAndGreen = (a & 0xff00ff00) + (b & 0xff00ff00);
    int redAndBlue = (a & 0x00ff00ff) + (b & 0x00ff00ff);
    return (alphaAndGreen & 0xff00ff00) | (redAndBlue & 0x00ff00ff);
  }

  private static int mean(int a, int b) {
    return (((a ^ b) & 0xfefefefe) >>> 1) + (a & b);
  }

  /** Returns left or top, whichever is closer to left + top - corner. */
  private static int nearer(int left, int top, int corner) {
    int toLeft = 0;
    int toTop = 0;
    for (int shift = 0; shift < 32; shift += 8) {
      int c = corner >>> shift & 0xff;
      toLeft += Math.abs((top >>> shift & 0xff) - c);
      toTop += Math.abs((left >>> shift & 0xff) - c);
    }
    return toLeft < toTop ? left : top;
  }

  private static int gradient(int left, int top, int corner) {
    int result = 0;
    for (int shift = 0; shift < 32; shift += 8) {
      int value = (left >>> shift & 0xff) + (top >>> shift & 0xff) - (corner >>> shift & 0xff);
      result |= Math.clamp(value, 0, 255) << shift;
    }
    return result;
  }

  private static int halfGradient(int mean, int corner) {
    int result = 0;
    for (int shift = 0; shift < 32; shift += 8) {
      int value = mean >>> shift & 0xff;
      value += (value - (corner >>> shift & 0xff)) / 2;
      result |= Math.clamp(value, 0, 255) << shift;
    }
    return result;
  }
}
