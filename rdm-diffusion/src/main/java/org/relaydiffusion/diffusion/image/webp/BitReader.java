// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

/** Reads bits, the lowest of a byte first, from a part of a file. */
final class BitReader {
  private final byte[] bytes;
  private final int end;
  private int at;
  private long window;
  private int held;

  /** The number of held bits that are zeros from beyond the end. */
  private int missing;

  BitReader(byte[] bytes, int from, int end) {
    this.bytes = bytes;
    this.at = from;
    this.end = end;
  }

  /** Returns whether more was read than exists; bits beyond the end are zeros. */
  boolean isPastEnd() {
    return missing > held;
  }

  /** Returns the next bits without consuming them: 32 valid bits, or zeros beyond the end. */
  int peek() {
    if (held < 32) {
      load();
    }
    return (int) window;
  }

  private void load() {
    while (held <= 56) {
      if (at < end) {
        window |= (bytes[at++] & 0xffL) << held;
      } else if (missing < Integer.MAX_VALUE - 64) {
        missing += 8;
      }
      held += 8;
    }
  }

  /** Consumes up to 32 bits returned by {@link #peek}. */
  void skip(int bits) {
    window >>>= bits;
    held -= bits;
  }

  /** Reads an unsigned number of up to 24 bits. */
  int number(int bits) {
    int number = peek() & ((1 << bits) - 1);
    skip(bits);
    return number;
  }

  boolean flag() {
    return number(1) != 0;
  }
}
