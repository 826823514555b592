// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The five prefix codes used in a part of a VP8L image (RFC 9649, section 3.7).
 *
 * @param green green values, then length prefixes, then indices of the colour cache
 * @param red red values
 * @param blue blue values
 * @param alpha alpha values
 * @param distance distance prefixes
 */
record CodeGroup(
    PrefixCode green, PrefixCode red, PrefixCode blue, PrefixCode alpha, PrefixCode distance) {
  static final int VALUES = 256;
  static final int LENGTHS = 24;
  private static final int DISTANCES = 40;
  private static final int[] LENGTH_ORDER = {
    17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  };
  private static final int REPEAT = 16;
  private static final int FEW_ZEROS = 17;

  /** The length that is repeated if there is no previous one. */
  private static final int FIRST_LENGTH = 8;

  /**
   * Reads a group.
   *
   * @param cacheSize number of entries of the colour cache
   * @return null if one of its codes is invalid
   */
  static @Nullable CodeGroup read(BitReader in, int cacheSize) {
    PrefixCode green = readCode(in, VALUES + LENGTHS + cacheSize);
    PrefixCode red = green == null ? null : readCode(in, VALUES);
    PrefixCode blue = red == null ? null : readCode(in, VALUES);
    PrefixCode alpha = blue == null ? null : readCode(in, VALUES);
    PrefixCode distance = alpha == null ? null : readCode(in, DISTANCES);
    if (green == null || red == null || blue == null || alpha == null || distance == null) {
      return null;
    }
    return new CodeGroup(green, red, blue, alpha, distance);
  }

  /** Returns the approximate number of entries in its tables. */
  int entries() {
    return green.entries()
        + red.entries()
        + blue.entries()
        + alpha.entries()
        + distance.entries()
        + 5 * 16;
  }

  private static @Nullable PrefixCode readCode(BitReader in, int symbols) {
    int[] lengths = new int[Math.max(symbols, VALUES)];
    if (in.flag()) {
      boolean hasTwo = in.flag();
      lengths[in.number(in.flag() ? 8 : 1)] = 1;
      if (hasTwo) {
        lengths[in.number(8)] = 1;
      }
    } else if (!readLengths(in, lengths, symbols)) {
      return null;
    }
    return in.isPastEnd() ? null : PrefixCode.of(lengths, symbols);
  }

  private static boolean readLengths(BitReader in, int[] lengths, int symbols) {
    int[] lengthsOfLengths = new int[LENGTH_ORDER.length];
    int given = 4 + in.number(4);
    for (int i = 0; i < given; i++) {
      lengthsOfLengths[LENGTH_ORDER[i]] = in.number(3);
    }
    PrefixCode code = PrefixCode.of(lengthsOfLengths, lengthsOfLengths.length);
    if (code == null) {
      return false;
    }
    int left = symbols;
    if (in.flag()) {
      left = 2 + in.number(2 + 2 * in.number(3));
      if (left > symbols) {
        return false;
      }
    }
    int previous = FIRST_LENGTH;
    int symbol = 0;
    while (symbol < symbols && left-- > 0) {
      int length = code.read(in);
      if (length < REPEAT) {
        lengths[symbol++] = length;
        previous = length == 0 ? previous : length;
        continue;
      }
      int count =
          length == REPEAT
              ? 3 + in.number(2)
              : length == FEW_ZEROS ? 3 + in.number(3) : 11 + in.number(7);
      if (symbol + count > symbols) {
        return false;
      }
      Arrays.fill(lengths, symbol, symbol + count, length == REPEAT ? previous : 0);
      symbol += count;
    }
    return true;
  }
}
