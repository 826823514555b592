// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

import java.util.Arrays;

/**
 * Reads the coefficients of macroblocks (RFC 6386, section 13), dequantized: 16 luma blocks and 4
 * of each chroma plane, with 16 values each in row order. The context of a block is the number of
 * blocks above and to its left that have coefficients.
 */
final class CoefficientReader {
  /** The blocks of a macroblock: 16, 4 and 4. */
  static final int BLOCKS = 24;

  private static final int LUMA_WITHOUT_DC = 0;
  private static final int SECOND = 1;
  private static final int CHROMA = 2;
  private static final int LUMA = 3;
  private static final int[] ZIGZAG = {0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15};

  /** By position; also after the last one, where none is read. */
  private static final int[] BANDS = {0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0};

  /** The probabilities of the extra bits of the four largest categories. */
  private static final int[][] EXTRA_BITS = {
    {173, 148, 140},
    {176, 155, 140, 135},
    {180, 157, 141, 134, 130},
    {254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129},
  };

  private final int[] probabilities;

  /**
   * For each column of macroblocks: 4 flags for luma, 2 and 2 for chroma, 1 for the second block.
   */
  private final byte[][] above;

  private final byte[] left = new byte[9];
  private final int[] values = new int[BLOCKS * 16];
  private final int[] second = new int[16];

  /**
   * The factors of a block's values.
   *
   * @param dc for the first value
   * @param ac for all others
   */
  record Steps(int dc, int ac) {}

  CoefficientReader(int[] probabilities, int columns) {
    this.probabilities = probabilities;
    this.above = new byte[columns][9];
  }

  /** Must be called before each row of macroblocks. */
  void beginRow() {
    Arrays.fill(left, (byte) 0);
  }

  /** Returns the values of the last macroblock: 16 for each of {@link #BLOCKS} blocks. */
  int[] values() {
    return values;
  }

  /** Marks a macroblock as having no coefficients. */
  void skip(int column, boolean hasSmallBlocks) {
    // With 4 x 4 prediction there is no second block: its flags are unchanged.
    int flags = hasSmallBlocks ? 8 : 9;
    Arrays.fill(left, 0, flags, (byte) 0);
    Arrays.fill(above[column], 0, flags, (byte) 0);
  }

  /**
   * Reads a macroblock.
   *
   * @return whether it may have nonzero values
   */
  boolean read(BoolDecoder in, int column, boolean hasSmallBlocks, Quantizer quantizer) {
    Arrays.fill(values, 0);
    byte[] top = above[column];
    int first = 0;
    if (!hasSmallBlocks) {
      Arrays.fill(second, 0);
      int end = block(in, SECOND, top[8] + left[8], quantizer.second(), 0, second, 0);
      top[8] = left[8] = (byte) (end > 0 ? 1 : 0);
      InverseTransform.spreadSecond(second, values);
      first = 1;
    }
    boolean hasValues = false;
    int type = hasSmallBlocks ? LUMA : LUMA_WITHOUT_DC;
    for (int i = 0; i < 16; i++) {
      int x = i & 3;
      int y = i >> 2;
      int end = block(in, type, top[x] + left[y], quantizer.luma(), first, values, 16 * i);
      top[x] = left[y] = (byte) (end > first ? 1 : 0);
      hasValues |= end > 1 || values[16 * i] != 0;
    }
    for (int i = 16; i < BLOCKS; i++) {
      int plane = 4 + ((i - 16) >> 2) * 2;
      int x = plane + (i & 1);
      int y = plane + (i >> 1 & 1);
      int end = block(in, CHROMA, top[x] + left[y], quantizer.chroma(), 0, values, 16 * i);
      top[x] = left[y] = (byte) (end > 0 ? 1 : 0);
      hasValues |= end > 1 || values[16 * i] != 0;
    }
    return hasValues;
  }

  /** Reads a block; returns the position after its last value. */
  private int block(
      BoolDecoder in, int type, int context, Steps steps, int first, int[] out, int base) {
    int n = first;
    int p = at(type, n, context);
    while (n < 16) {
      if (!in.isSet(probabilities[p])) {
        return n;
      }
      while (!in.isSet(probabilities[p + 1])) {
        n++;
        if (n == 16) {
          return 16;
        }
        p = at(type, n, 0);
      }
      int value = 1;
      if (in.isSet(probabilities[p + 2])) {
        value = large(in, p);
        p = at(type, n + 1, 2);
      } else {
        p = at(type, n + 1, 1);
      }
      int signed = in.flag() ? -value : value;
      // 16 bits are kept; only damaged files need more.
      out[base + ZIGZAG[n]] = (short) (signed * (n > 0 ? steps.ac : steps.dc));
      n++;
    }
    return 16;
  }

  private static int at(int type, int position, int context) {
    int band = type * CoefficientTables.BANDS + BANDS[position];
    return (band * CoefficientTables.CONTEXTS + context) * CoefficientTables.TOKENS;
  }

  /** Reads a value of at least 2. */
  private int large(BoolDecoder in, int p) {
    if (!in.isSet(probabilities[p + 3])) {
      return in.isSet(probabilities[p + 4]) ? 3 + in.bit(probabilities[p + 5]) : 2;
    }
    if (!in.isSet(probabilities[p + 6])) {
      if (!in.isSet(probabilities[p + 7])) {
        return 5 + in.bit(159);
      }
      int high = in.bit(165);
      return 7 + 2 * high + in.bit(145);
    }
    int high = in.bit(probabilities[p + 8]);
    int category = 2 * high + in.bit(probabilities[p + 9 + high]);
    int extra = 0;
    for (int probability : EXTRA_BITS[category]) {
      extra = 2 * extra + in.bit(probability);
    }
    return 3 + (8 << category) + extra;
  }
}
