// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.nio.file.Path;
import org.relaydiffusion.FileException;

/**
 * Reads PBM, PGM and PPM images, plain (P1 to P3) and raw (P4 to P6), with any maximum value up to
 * 65535. Values are scaled to 0 to 255 and rounded half to even, as in Pillow; grayscale values of
 * 16 bits are reduced to the high byte.
 */
final class NetpbmFile {
  private static final int MOST_DIGITS = 10;
  private static final int BITMAP = 1;
  private static final int GREY = 2;

  private final byte[] bytes;
  private final Path file;
  private final boolean isPlain;

  /** {@link #BITMAP}, {@link #GREY} or 3 for RGB. */
  private final int kind;

  private final int width;
  private final int height;
  private final int largest;
  private int at;

  private NetpbmFile(byte[] bytes, Path file) {
    this.bytes = bytes;
    this.file = file;
    int number = bytes[1] - '0';
    isPlain = number <= 3;
    kind = isPlain ? number : number - 3;
    at = 2;
    width = number();
    height = number();
    largest = kind == BITMAP ? 1 : number();
    if (largest < 1 || largest > 0xffff) {
      throw damaged("its maximum value is %s, but must be 1 to 65535".formatted(largest));
    }
  }

  /** Returns whether a file begins like one of these formats. */
  static boolean isNetpbm(byte[] bytes) {
    return bytes.length > 2
        && bytes[0] == 'P'
        && bytes[1] >= '1'
        && bytes[1] <= '6'
        && (isSpace(bytes[2]) || bytes[2] == '#');
  }

  /** Returns the declared size. */
  static PictureReader.Size size(byte[] bytes, Path file) {
    NetpbmFile picture = new NetpbmFile(bytes, file);
    return new PictureReader.Size(picture.width, picture.height);
  }

  /** Decodes as {@link PictureReader#decode}; the file must be one of these formats. */
  static Pixels decode(byte[] bytes, Path file) {
    NetpbmFile picture = new NetpbmFile(bytes, file);
    int channels = picture.kind == 3 ? 3 : 1;
    long held = (bytes.length * (picture.kind == BITMAP && !picture.isPlain ? 8L : 1)) / channels;
    PictureBudget.checkPixels(picture.width, picture.height, bytes.length, held, file);
    return PictureBudget.decoded(
        file, picture.width, picture.height, channels, () -> picture.pixels(channels));
  }

  private Pixels pixels(int channels) {
    Pixels pixels = Pixels.black(width, height, channels);
    byte[] out = pixels.data();
    if (isPlain) {
      for (int i = 0; i < out.length; i++) {
        out[i] = kind == BITMAP ? plainBit() : scaled(number());
      }
    } else if (kind == BITMAP) {
      bits(out);
    } else {
      int size = largest > 0xff ? 2 : 1;
      if ((long) out.length * size > bytes.length - at) {
        throw damaged("it is truncated");
      }
      for (int i = 0; i < out.length; i++, at += size) {
        int value = bytes[at] & 0xff;
        out[i] = scaled(size == 1 ? value : value << 8 | (bytes[at + 1] & 0xff));
      }
    }
    return pixels;
  }

  /** Set bits are black. */
  private void bits(byte[] out) {
    int row = (width + 7) / 8;
    if ((long) row * height > bytes.length - at) {
      throw damaged("it is truncated");
    }
    for (int i = 0; i < out.length; i++) {
      int x = i % width;
      int packed = bytes[at + i / width * row + x / 8];
      out[i] = (byte) ((packed >> (7 - x % 8) & 1) - 1);
    }
  }

  /** Reads a bit in text form, which needs no space around it. */
  private byte plainBit() {
    skipSpace();
    int digit = at < bytes.length ? bytes[at++] : -1;
    if (digit != '0' && digit != '1') {
      throw damaged(digit < 0 ? "it is truncated" : "it has digits other than 0 and 1");
    }
    return (byte) (digit - '1');
  }

  private byte scaled(int value) {
    if (largest == 0xff) {
      return (byte) value;
    }
    if (isPlain && value > largest) {
      throw damaged("it has the value %s above its maximum, %s".formatted(value, largest));
    }
    int full = kind == GREY && largest > 0xff ? 0xffff : 0xff;
    int result = (int) Math.min(full, Math.rint((double) value / largest * full));
    return (byte) (full == 0xff ? result : result >> 8);
  }

  /** Reads the next number in text form, and skips one character after it. */
  private int number() {
    skipSpace();
    int start = at;
    long number = 0;
    while (at < bytes.length && bytes[at] >= '0' && bytes[at] <= '9') {
      number = number * 10 + bytes[at++] - '0';
      if (at - start > MOST_DIGITS) {
        throw damaged("it has a number of more than %s digits".formatted(MOST_DIGITS));
      }
    }
    if (at == start) {
      throw damaged(at == bytes.length ? "it is truncated" : "a number is missing");
    }
    if (number > Integer.MAX_VALUE) {
      throw damaged("it has the number %s".formatted(number));
    }
    if (at < bytes.length) {
      if (!isSpace(bytes[at])) {
        throw damaged("a space after a number is missing");
      }
      at++;
    }
    return (int) number;
  }

  /** Skips white space and comments. */
  private void skipSpace() {
    while (at < bytes.length && (isSpace(bytes[at]) || bytes[at] == '#')) {
      if (bytes[at] == '#') {
        while (at < bytes.length && bytes[at] != '\n' && bytes[at] != '\r') {
          at++;
        }
      } else {
        at++;
      }
    }
  }

  private static boolean isSpace(byte b) {
    return b == ' ' || (b >= '\t' && b <= '\r');
  }

  private FileException damaged(String what) {
    return new FileException(file, "is a damaged PBM, PGM or PPM image: " + what);
  }
}
