// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which addresses tensors may be read at but not written, because a mapped file is there: a write
 * would end the process. By address, since LibTorch's views and aliases know nothing of it.
 */
final class ReadOnlyMemory {
  /** The ranges that are held, with how often; by begin, then by end. */
  private static final TreeMap<Range, Integer> HELD = new TreeMap<>();

  /** The union of what is held: begin and end of each piece in turn, ascending. */
  private static volatile long @Nullable [] pieces = {};

  private ReadOnlyMemory() {}

  /**
   * Some addresses, compared as the unsigned numbers that they are.
   *
   * @param begin the first
   * @param end the first behind them
   */
  record Range(long begin, long end) implements Comparable<Range> {
    @Override
    public int compareTo(Range other) {
      int byBegin = Long.compareUnsigned(begin, other.begin);
      return byBegin != 0 ? byBegin : Long.compareUnsigned(end, other.end);
    }
  }

  /** From now on nothing is written there, until {@link #remove} was called as often. */
  static void add(Range range) {
    synchronized (HELD) {
      HELD.merge(range, 1, Integer::sum);
      pieces = null;
    }
  }

  /** Takes an {@link #add} back. */
  static void remove(Range range) {
    synchronized (HELD) {
      HELD.computeIfPresent(range, (_, times) -> times == 1 ? null : times - 1);
      pieces = HELD.isEmpty() ? new long[0] : null;
    }
  }

  /** Whether there is any such memory: mostly there is none. */
  static boolean isAny() {
    long[] known = pieces;
    return known == null || known.length > 0;
  }

  /** Whether an address is in such memory. */
  static boolean contains(long address) {
    long[] known = pieces;
    if (known == null) {
      known = unite();
    }
    // The number of bounds at or below the address is odd inside of a piece.
    int low = 0;
    int high = known.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(known[middle], address) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return (low & 1) == 1;
  }

  private static long[] unite() {
    synchronized (HELD) {
      long[] bounds = new long[2 * HELD.size()];
      int n = 0;
      for (Map.Entry<Range, Integer> entry : HELD.entrySet()) {
        Range range = entry.getKey();
        if (n > 0 && Long.compareUnsigned(range.begin, bounds[n - 1]) <= 0) {
          bounds[n - 1] =
              Long.compareUnsigned(range.end, bounds[n - 1]) > 0 ? range.end : bounds[n - 1];
        } else {
          bounds[n++] = range.begin;
          bounds[n++] = range.end;
        }
      }
      long[] united = Arrays.copyOf(bounds, n);
      pieces = united;
      return united;
    }
  }
}
