// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The values to which a pickle refers. Python numbers them in the order of writing, so an index is
 * always smaller than the offset of the opcode that writes it, which bounds the array.
 */
final class PickleMemo {
  private static final int MOST = 4_000_000;

  private @Nullable Object[] values = new Object[64];
  private int written;

  void put(long index, Object value, long offset) {
    if (index < 0 || index > offset || index >= MOST) {
      throw new BadPickleException("stores a value under the number " + index);
    }
    int i = (int) index;
    if (i >= values.length) {
      values = Arrays.copyOf(values, Math.max(i + 1, values.length * 2));
    }
    written += values[i] == null ? 1 : 0;
    values[i] = value;
  }

  void append(Object value, long offset) {
    put(written, value, offset);
  }

  Object get(long index) {
    Object value = index >= 0 && index < values.length ? values[(int) index] : null;
    if (value == null) {
      throw new BadPickleException("refers to value %s, which was not stored".formatted(index));
    }
    return value;
  }
}
