package org.relaydiffusion.diffusion.image.webp;

/** Reads bits, the lowest of a byte first, from a part of a file. */
final class BitReader {
  private final byte[] bytes;
  private final int end;
  private int at;
  private long window;
  private int held;

  /** How many of the held bits are zeros from beyond the end. */
  private int missing;

  BitReader(byte[] bytes, int from, int end) {
    this.bytes = bytes;
    this.at = from;
    this.end = end;
  }

  /** Whether more was read than there is: what came then were zeros. */
  boolean isPastEnd() {
    return missing > held;
  }

  /** The next bits, without reading them: 32 are true ones, or zeros beyond the end. */
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

  /** Goes on by up to 32 bits that {@link #peek} has shown. */
  void skip(int bits) {
    window >>>= bits;
    held -= bits;
  }

  /** An unsigned number of up to 24 bits. */
  int number(int bits) {
    int number = peek() & ((1 << bits) - 1);
    skip(bits);
    return number;
  }

  boolean flag() {
    return number(1) != 0;
  }
}
