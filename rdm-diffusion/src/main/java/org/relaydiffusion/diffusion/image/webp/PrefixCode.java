// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

import org.jspecify.annotations.Nullable;

/**
 * A canonical prefix code of VP8L, as a table for its first 8 bits, followed by second-level tables
 * for longer codes. An entry is a symbol and the length of its code or, if that exceeds the first
 * table, an offset and both lengths.
 */
final class PrefixCode {
  static final int LONGEST = 15;
  private static final int ROOT = 8;
  private static final int BITS = 4;
  private static final int BITS_MASK = (1 << BITS) - 1;

  private final int[] table;
  private final int root;

  private PrefixCode(int[] table, int root) {
    this.table = table;
    this.root = root;
  }

  /**
   * Creates a code.
   *
   * @param lengths of the symbols' codes, from 0 (unused) to {@link #LONGEST}
   * @param symbols number of symbols
   * @return null if the lengths do not form a complete prefix code
   */
  static @Nullable PrefixCode of(int[] lengths, int symbols) {
    int[] counts = new int[LONGEST + 1];
    int used = 0;
    int longest = 0;
    int last = 0;
    for (int symbol = 0; symbol < symbols; symbol++) {
      int length = lengths[symbol];
      if (length > 0) {
        counts[length]++;
        used++;
        longest = Math.max(longest, length);
        last = symbol;
      }
    }
    if (used == 1) {
      // A single symbol takes no bits, regardless of its length.
      return new PrefixCode(new int[] {last << BITS}, 0);
    }
    int space = 0;
    for (int length = 1; length <= LONGEST; length++) {
      space += counts[length] << (LONGEST - length);
    }
    if (used == 0 || space != 1 << LONGEST) {
      return null;
    }
    int root = Math.min(longest, ROOT);
    int[] next = firstCodes(counts);
    int[] sizes = new int[1 << root];
    int[] offsets = new int[1 << root];
    int entries = measure(lengths, symbols, next.clone(), root, sizes, offsets);
    int[] table = new int[entries];
    for (int symbol = 0; symbol < symbols; symbol++) {
      int length = lengths[symbol];
      if (length == 0) {
        continue;
      }
      int code = Integer.reverse(next[length]++) >>> (32 - length);
      if (length <= root) {
        fill(table, code, 1 << length, 1 << root, symbol << BITS | length);
      } else {
        int first = code & (1 << root) - 1;
        int offset = offsets[first];
        table[first] = offset << BITS | root + sizes[first];
        fill(
            table,
            offset + (code >>> root),
            1 << (length - root),
            offset + (1 << sizes[first]),
            symbol << BITS | length);
      }
    }
    return new PrefixCode(table, root);
  }

  /**
   * Returns the first code of each length; those of a length are consecutive, in the order of
   * symbols.
   */
  private static int[] firstCodes(int[] counts) {
    int[] next = new int[LONGEST + 2];
    for (int length = 1; length <= LONGEST; length++) {
      next[length + 1] = (next[length] + counts[length]) << 1;
    }
    return next;
  }

  /** Determines the sizes and positions of the second-level tables; returns the total size. */
  private static int measure(
      int[] lengths, int symbols, int[] next, int root, int[] sizes, int[] offsets) {
    for (int symbol = 0; symbol < symbols; symbol++) {
      int length = lengths[symbol];
      if (length == 0) {
        continue;
      }
      int code = Integer.reverse(next[length]++) >>> (32 - length);
      if (length > root) {
        int first = code & (1 << root) - 1;
        sizes[first] = Math.max(sizes[first], length - root);
      }
    }
    int entries = 1 << root;
    for (int first = 0; first < sizes.length; first++) {
      if (sizes[first] > 0) {
        offsets[first] = entries;
        entries += 1 << sizes[first];
      }
    }
    return entries;
  }

  private static void fill(int[] table, int from, int step, int end, int entry) {
    for (int i = from; i < end; i += step) {
      table[i] = entry;
    }
  }

  /** Returns the number of entries of the tables. */
  int entries() {
    return table.length;
  }

  /** Reads a symbol. */
  int read(BitReader in) {
    int bits = in.peek();
    int entry = table[bits & (1 << root) - 1];
    int length = entry & BITS_MASK;
    if (length > root) {
      int further = (bits >>> root) & (1 << (length - root)) - 1;
      entry = table[(entry >>> BITS) + further];
      length = entry & BITS_MASK;
    }
    in.skip(length);
    return entry >>> BITS;
  }
}
