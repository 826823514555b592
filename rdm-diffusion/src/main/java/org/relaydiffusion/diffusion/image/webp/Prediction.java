// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

import java.util.Arrays;

/**
 * Predicts blocks from the pixels above and to the left of them (RFC 6386, section 12), which are
 * around them in the same array with rows of {@link #STRIDE} values from 0 to 255.
 */
final class Prediction {
  /** The offset from a pixel to the one below it. */
  static final int STRIDE = 32;

  static final int DC = 0;
  static final int TRUE_MOTION = 1;
  static final int VERTICAL = 2;
  static final int HORIZONTAL = 3;
  static final int RIGHT_DOWN = 4;
  static final int VERTICAL_RIGHT = 5;
  static final int LEFT_DOWN = 6;
  static final int VERTICAL_LEFT = 7;
  static final int HORIZONTAL_DOWN = 8;
  static final int HORIZONTAL_UP = 9;

  private Prediction() {}

  /**
   * Predicts a luma block of 16 x 16 pixels or a chroma block of 8 x 8.
   *
   * @param mode DC, TRUE_MOTION, VERTICAL or HORIZONTAL
   * @param size 16 or 8
   * @param hasAbove false in the first row of the image, which DC ignores
   * @param hasLeft false in its first column
   */
  static void whole(int mode, int[] p, int at, int size, boolean hasAbove, boolean hasLeft) {
    switch (mode) {
      case DC -> fill(p, at, size, mean(p, at, size, hasAbove, hasLeft));
      case TRUE_MOTION -> trueMotion(p, at, size);
      case VERTICAL -> {
        for (int y = 0; y < size; y++) {
          System.arraycopy(p, at - STRIDE, p, at + y * STRIDE, size);
        }
      }
      case HORIZONTAL -> {
        for (int y = 0; y < size; y++) {
          int row = at + y * STRIDE;
          Arrays.fill(p, row, row + size, p[row - 1]);
        }
      }
      default -> throw new IllegalArgumentException("no mode of whole blocks: " + mode);
    }
  }

  private static int mean(int[] p, int at, int size, boolean hasAbove, boolean hasLeft) {
    if (!hasAbove && !hasLeft) {
      return 128;
    }
    int sum = 0;
    for (int i = 0; i < size; i++) {
      sum += hasAbove ? p[at - STRIDE + i] : 0;
      sum += hasLeft ? p[at - 1 + i * STRIDE] : 0;
    }
    int count = hasAbove && hasLeft ? 2 * size : size;
    return (sum + count / 2) / count;
  }

  private static void fill(int[] p, int at, int size, int value) {
    for (int y = 0; y < size; y++) {
      Arrays.fill(p, at + y * STRIDE, at + y * STRIDE + size, value);
    }
  }

  private static void trueMotion(int[] p, int at, int size) {
    int corner = p[at - STRIDE - 1];
    for (int y = 0; y < size; y++) {
      int row = at + y * STRIDE;
      int left = p[row - 1] - corner;
      for (int x = 0; x < size; x++) {
        p[row + x] = InverseTransform.clamped(left + p[at - STRIDE + x]);
      }
    }
  }

  /** Predicts a luma block of 4 x 4 pixels, which also uses up to 4 pixels to the upper right. */
  static void small(int mode, int[] p, int at) {
    switch (mode) {
      case DC -> {
        int sum = 4;
        for (int i = 0; i < 4; i++) {
          sum += p[at - STRIDE + i] + p[at - 1 + i * STRIDE];
        }
        fill(p, at, 4, sum >> 3);
      }
      case TRUE_MOTION -> trueMotion(p, at, 4);
      case VERTICAL -> smoothVertical(p, at);
      case HORIZONTAL -> smoothHorizontal(p, at);
      case RIGHT_DOWN -> rightDown(p, at);
      case VERTICAL_RIGHT -> verticalRight(p, at);
      case LEFT_DOWN -> leftDown(p, at);
      case VERTICAL_LEFT -> verticalLeft(p, at);
      case HORIZONTAL_DOWN -> horizontalDown(p, at);
      case HORIZONTAL_UP -> horizontalUp(p, at);
      default -> throw new IllegalArgumentException("no mode of small blocks: " + mode);
    }
  }

  /**
   * The pixels around a block, as one line from the lower left over the corner to the upper right:
   * 0 to 3 are to the left from the bottom up, 4 is the corner, 5 to 12 are above.
   */
  private static int around(int[] p, int at, int i) {
    return i < 4 ? p[at - 1 + (3 - i) * STRIDE] : p[at - STRIDE + i - 5];
  }

  /** Averages pixel {@code i} around the block and the next. */
  private static int of2(int[] p, int at, int i) {
    return (around(p, at, i) + around(p, at, i + 1) + 1) >> 1;
  }

  /** Averages pixel {@code i} around the block, with weight 2, and its neighbours. */
  private static int of3(int[] p, int at, int i) {
    return (around(p, at, i - 1) + 2 * around(p, at, i) + around(p, at, i + 1) + 2) >> 2;
  }

  private static void smoothVertical(int[] p, int at) {
    for (int x = 0; x < 4; x++) {
      int value = of3(p, at, 5 + x);
      for (int y = 0; y < 4; y++) {
        p[at + y * STRIDE + x] = value;
      }
    }
  }

  private static void smoothHorizontal(int[] p, int at) {
    int bottom = around(p, at, 0);
    int last = (around(p, at, 1) + 3 * bottom + 2) >> 2;
    for (int y = 0; y < 4; y++) {
      int row = at + y * STRIDE;
      Arrays.fill(p, row, row + 4, y < 3 ? of3(p, at, 3 - y) : last);
    }
  }

  private static void rightDown(int[] p, int at) {
    for (int diagonal = -3; diagonal <= 3; diagonal++) {
      int value = of3(p, at, 4 + diagonal);
      for (int y = Math.max(0, -diagonal); y < Math.min(4, 4 - diagonal); y++) {
        p[at + y * STRIDE + y + diagonal] = value;
      }
    }
  }

  private static void leftDown(int[] p, int at) {
    int last = around(p, at, 12);
    for (int sum = 0; sum <= 6; sum++) {
      int value = sum < 6 ? of3(p, at, 6 + sum) : (around(p, at, 11) + 3 * last + 2) >> 2;
      for (int y = Math.max(0, sum - 3); y <= Math.min(3, sum); y++) {
        p[at + y * STRIDE + sum - y] = value;
      }
    }
  }

  private static void verticalRight(int[] p, int at) {
    for (int x = 0; x < 4; x++) {
      p[at + x] = of2(p, at, 4 + x);
      p[at + STRIDE + x] = of3(p, at, 4 + x);
    }
    for (int x = 1; x < 4; x++) {
      p[at + 2 * STRIDE + x] = p[at + x - 1];
      p[at + 3 * STRIDE + x] = p[at + STRIDE + x - 1];
    }
    p[at + 2 * STRIDE] = of3(p, at, 3);
    p[at + 3 * STRIDE] = of3(p, at, 2);
  }

  private static void verticalLeft(int[] p, int at) {
    for (int x = 0; x < 4; x++) {
      p[at + x] = of2(p, at, 5 + x);
      p[at + STRIDE + x] = of3(p, at, 6 + x);
    }
    for (int x = 0; x < 3; x++) {
      p[at + 2 * STRIDE + x] = p[at + x + 1];
      p[at + 3 * STRIDE + x] = p[at + STRIDE + x + 1];
    }
    // The last column of these two rows does not follow the pattern of the others.
    p[at + 2 * STRIDE + 3] = of3(p, at, 10);
    p[at + 3 * STRIDE + 3] = of3(p, at, 11);
  }

  private static void horizontalDown(int[] p, int at) {
    for (int y = 0; y < 4; y++) {
      p[at + y * STRIDE] = of2(p, at, 3 - y);
      p[at + y * STRIDE + 1] = of3(p, at, 4 - y);
    }
    for (int y = 1; y < 4; y++) {
      p[at + y * STRIDE + 2] = p[at + (y - 1) * STRIDE];
      p[at + y * STRIDE + 3] = p[at + (y - 1) * STRIDE + 1];
    }
    p[at + 2] = of3(p, at, 5);
    p[at + 3] = of3(p, at, 6);
  }

  private static void horizontalUp(int[] p, int at) {
    int bottom = around(p, at, 0);
    int[] line = {
      of2(p, at, 2),
      of3(p, at, 2),
      of2(p, at, 1),
      of3(p, at, 1),
      of2(p, at, 0),
      (around(p, at, 1) + 3 * bottom + 2) >> 2,
    };
    for (int y = 0; y < 4; y++) {
      for (int x = 0; x < 4; x++) {
        int i = 2 * y + x;
        p[at + y * STRIDE + x] = i < line.length ? line[i] : bottom;
      }
    }
  }
}
