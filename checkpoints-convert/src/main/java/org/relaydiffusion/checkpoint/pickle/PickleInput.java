// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * A cursor over the bytes of a pickle. Every length is checked against the remaining bytes before
 * it is used.
 */
public final class PickleInput {
  private static final ValueLayout.OfInt LE_INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LE_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble BE_DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final int LONGEST_LINE = 1 << 16;

  private final MemorySegment memory;
  private long position;

  /** Starts at the first byte of {@code memory}. */
  public PickleInput(MemorySegment memory) {
    this.memory = memory;
  }

  /** Returns the offset of the next byte. */
  public long position() {
    return position;
  }

  /** Returns the number of remaining bytes. */
  public long remaining() {
    return memory.byteSize() - position;
  }

  /**
   * Reads the next {@code length} bytes without a copy.
   *
   * @throws BadPickleException if fewer bytes remain
   */
  public MemorySegment take(long length) {
    if (length < 0 || length > remaining()) {
      throw new BadPickleException(
          "declares %s bytes, but only %s are left"
              .formatted(Long.toUnsignedString(length), remaining()));
    }
    MemorySegment taken = memory.asSlice(position, length);
    position += length;
    return taken;
  }

  /**
   * Reads an unsigned byte.
   *
   * @throws BadPickleException if no bytes remain
   */
  public int u8() {
    return take(1).get(ValueLayout.JAVA_BYTE, 0) & 0xff;
  }

  int u16() {
    return u8() | u8() << 8;
  }

  int i32() {
    return take(4).get(LE_INT, 0);
  }

  long u32() {
    return i32() & 0xffff_ffffL;
  }

  /** Reads a little-endian 64-bit number; may be negative. */
  public long i64() {
    return take(8).get(LE_LONG, 0);
  }

  double bigEndianDouble() {
    return take(8).get(BE_DOUBLE, 0);
  }

  /** Reads the UTF-8 text up to the next line feed, which is skipped. */
  String line() {
    return utf8(lineBytes());
  }

  /** Reads as {@link #line}, with one character per byte. */
  String latin1Line() {
    return new String(lineBytes().toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
  }

  private MemorySegment lineBytes() {
    long end = position;
    long limit = Math.min(memory.byteSize(), position + LONGEST_LINE);
    while (end < limit && memory.get(ValueLayout.JAVA_BYTE, end) != '\n') {
      end++;
    }
    if (end == limit) {
      throw new BadPickleException("has a line without an end");
    }
    MemorySegment bytes = take(end - position);
    position++;
    return bytes;
  }

  static String utf8(MemorySegment bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes.asByteBuffer()).toString();
    } catch (CharacterCodingException e) {
      throw new BadPickleException("has a text that is not UTF-8");
    }
  }
}
