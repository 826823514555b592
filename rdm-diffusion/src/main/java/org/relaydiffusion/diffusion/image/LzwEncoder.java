// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/**
 * The LZW compression of GIF (GIF89a specification, appendix F): codes of up to 12 bits, least
 * significant bit first, in blocks of at most 255 bytes.
 */
final class LzwEncoder {
  private static final int MOST_BITS = 12;
  private static final int MOST_CODES = 1 << MOST_BITS;
  private static final int MOST_BLOCK = 255;

  /** Twice as many slots as codes, so that a search ends after one or two of them. */
  private static final int SLOT_BITS = MOST_BITS + 1;

  private static final int FREE = -1;

  private final ByteArrayOutputStream out;
  private final int clear;
  private final int firstWidth;

  /** The strings in the table: the code of all but the last index, and the last index. */
  private final int[] strings = new int[1 << SLOT_BITS];

  private final int[] codes = new int[1 << SLOT_BITS];
  private int nextCode;
  private int width;

  private int bits;
  private int bitCount;
  private final byte[] block = new byte[MOST_BLOCK];
  private int blockLength;

  private LzwEncoder(int indexBits, ByteArrayOutputStream out) {
    this.out = out;
    this.clear = 1 << indexBits;
    this.firstWidth = indexBits + 1;
    this.width = firstWidth;
  }

  /**
   * Writes the compressed indices of a frame: their width in bits, the blocks, and the terminator.
   *
   * @param indices unsigned, at least one
   * @param indexBits the width of an index, 2 to 8
   */
  static void write(byte[] indices, int indexBits, ByteArrayOutputStream out) {
    out.write(indexBits);
    LzwEncoder encoder = new LzwEncoder(indexBits, out);
    encoder.encode(indices);
    encoder.flush();
    out.write(0);
  }

  private void encode(byte[] indices) {
    reset();
    int code = indices[0] & 0xff;
    for (int i = 1; i < indices.length; i++) {
      int index = indices[i] & 0xff;
      int string = code << 8 | index;
      int slot = slot(string);
      if (strings[slot] == string) {
        code = codes[slot];
        continue;
      }
      put(code);
      if (nextCode < MOST_CODES) {
        strings[slot] = string;
        codes[slot] = nextCode++;
      } else {
        reset();
      }
      code = index;
    }
    put(code);
    putBits(clear + 1);
  }

  private int slot(int string) {
    // Fibonacci hashing: the high bits of the product depend on all bits of the string.
    int slot = (string * 0x9e3779b1) >>> (Integer.SIZE - SLOT_BITS);
    while (strings[slot] != FREE && strings[slot] != string) {
      slot = (slot + 1) & ((1 << SLOT_BITS) - 1);
    }
    return slot;
  }

  /** Writes the clear code, at the width of the codes before it, and empties the table. */
  private void reset() {
    putBits(clear);
    Arrays.fill(strings, FREE);
    nextCode = clear + 2;
    width = firstWidth;
  }

  /**
   * Writes a code. The decoder enters a string into its table one code later than the encoder, so
   * codes become wider when the string about to be entered here needs it.
   */
  private void put(int code) {
    putBits(code);
    if (nextCode == 1 << width && width < MOST_BITS) {
      width++;
    }
  }

  private void putBits(int code) {
    bits |= code << bitCount;
    bitCount += width;
    while (bitCount >= Byte.SIZE) {
      putByte(bits);
      bits >>>= Byte.SIZE;
      bitCount -= Byte.SIZE;
    }
  }

  private void putByte(int value) {
    block[blockLength++] = (byte) value;
    if (blockLength == MOST_BLOCK) {
      putBlock();
    }
  }

  private void putBlock() {
    out.write(blockLength);
    out.write(block, 0, blockLength);
    blockLength = 0;
  }

  private void flush() {
    if (bitCount > 0) {
      putByte(bits);
    }
    if (blockLength > 0) {
      putBlock();
    }
  }
}
