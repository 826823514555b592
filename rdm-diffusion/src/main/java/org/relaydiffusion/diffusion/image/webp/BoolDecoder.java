// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

/** VP8's boolean entropy decoder (RFC 6386, section 7) over a part of a file. */
final class BoolDecoder {
  private static final int HALF = 128;

  private final byte[] bytes;
  private final int end;
  private int at;

  /** The range minus one; the range is 128 to 255 before each bit. */
  private int range = 254;

  /** The loaded bits; {@link #spare} of them are below those in use. */
  private long value;

  private int spare = -8;
  private boolean isPastEnd;

  /**
   * Starts at a part of a file.
   *
   * @param from offset of its first byte
   * @param end offset after its last byte, at most the length of {@code bytes}
   */
  BoolDecoder(byte[] bytes, int from, int end) {
    this.bytes = bytes;
    this.at = from;
    this.end = end;
  }

  /** Returns whether more was read than exists; bits beyond the end are zeros. */
  boolean isPastEnd() {
    return isPastEnd;
  }

  /**
   * Reads the next bit, 0 or 1.
   *
   * @param probability of a zero, in 256ths
   */
  int bit(int probability) {
    if (spare < 0) {
      load();
    }
    int split = (range * probability) >> 8;
    int bit;
    if ((int) (value >>> spare) > split) {
      range -= split;
      value -= (long) (split + 1) << spare;
      bit = 1;
    } else {
      range = split + 1;
      bit = 0;
    }
    int shift = Integer.numberOfLeadingZeros(range) - 24;
    range = (range << shift) - 1;
    spare -= shift;
    return bit;
  }

  private void load() {
    if (at + 4 <= end) {
      long next =
          (bytes[at] & 0xffL) << 24
              | (bytes[at + 1] & 0xff) << 16
              | (bytes[at + 2] & 0xff) << 8
              | (bytes[at + 3] & 0xff);
      value = value << 32 | next;
      spare += 32;
      at += 4;
    } else {
      int next = 0;
      if (at < end) {
        next = bytes[at++] & 0xff;
      } else {
        isPastEnd = true;
      }
      value = value << 8 | next;
      spare += 8;
    }
  }

  /** Reads as {@link #bit}. */
  boolean isSet(int probability) {
    return bit(probability) != 0;
  }

  /** Reads a bit with probability 1/2. */
  boolean flag() {
    return bit(HALF) != 0;
  }

  /** Reads an unsigned number of the given number of bits. */
  int number(int bits) {
    int number = 0;
    for (int i = 0; i < bits; i++) {
      number = number << 1 | bit(HALF);
    }
    return number;
  }

  /** Reads a number of the given number of bits, and its sign. */
  int signed(int bits) {
    int number = number(bits);
    return flag() ? -number : number;
  }

  /** Reads a flag and, if it is set, a number with its sign; otherwise returns 0. */
  int optionalSigned(int bits) {
    return flag() ? signed(bits) : 0;
  }
}
