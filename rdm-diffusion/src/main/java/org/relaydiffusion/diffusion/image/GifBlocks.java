// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Encodes the blocks of a GIF (GIF89a specification, CompuServe 1990). */
final class GifBlocks {
  private static final int EXTENSION = 0x21;
  private static final int APPLICATION = 0xff;
  private static final int GRAPHIC_CONTROL = 0xf9;
  private static final int PICTURE = 0x2c;

  private static final int HAS_COLOURS = 0x80;

  /** The original image has 8 bits per channel. */
  private static final int RESOLUTION = 0x70;

  /** The next frame is drawn over this one. */
  private static final int KEEP = 1 << 2;

  private static final int GREYS = 256;
  private static final int INDEX_BITS = 8;

  private GifBlocks() {}

  /**
   * Writes what precedes the frames: the size, for grayscale the palette of all frames, and the
   * number of plays.
   *
   * @param frame any of the frames
   * @param plays {@link AnimatedGif#FOREVER}, or at least 1
   */
  static void header(Pixels frame, int plays, ByteArrayOutputStream out) {
    ascii("GIF89a", out);
    u16(frame.width(), out);
    u16(frame.height(), out);
    boolean isGrey = frame.channels() == 1;
    out.write(RESOLUTION | (isGrey ? HAS_COLOURS | (INDEX_BITS - 1) : 0));
    // The number of the background colour, and no aspect ratio.
    u16(0, out);
    if (isGrey) {
      for (int grey = 0; grey < GREYS; grey++) {
        colour(grey * 0x010101, out);
      }
    }
    if (plays != 1) {
      repetitions(plays == AnimatedGif.FOREVER ? 0 : plays - 1, out);
    }
  }

  /** Netscape's extension: the number of plays after the first, or 0 for no end. */
  private static void repetitions(int count, ByteArrayOutputStream out) {
    out.write(EXTENSION);
    out.write(APPLICATION);
    out.write("NETSCAPE2.0".length());
    ascii("NETSCAPE2.0", out);
    out.write(3);
    out.write(1);
    u16(count, out);
    out.write(0);
  }

  /**
   * Writes a frame that covers the whole canvas, with its palette unless it is grayscale.
   *
   * @param hundredths how long it is shown, in hundredths of a second
   */
  static void picture(Pixels frame, int hundredths, ByteArrayOutputStream out) {
    out.write(EXTENSION);
    out.write(GRAPHIC_CONTROL);
    out.write(4);
    out.write(KEEP);
    u16(hundredths, out);
    // The number of the transparent colour, of which there is none, and the end of the block.
    u16(0, out);
    out.write(PICTURE);
    u16(0, out);
    u16(0, out);
    u16(frame.width(), out);
    u16(frame.height(), out);
    if (frame.channels() == 1) {
      out.write(0);
      LzwEncoder.write(frame.data(), INDEX_BITS, out);
    } else {
      indexed(frame, out);
    }
  }

  private static void indexed(Pixels frame, ByteArrayOutputStream out) {
    Palette palette = Palette.of(frame);
    int bits = Math.max(1, Integer.SIZE - Integer.numberOfLeadingZeros(palette.size() - 1));
    out.write(HAS_COLOURS | (bits - 1));
    // The size of a palette is a power of two.
    for (int i = 0; i < 1 << bits; i++) {
      colour(i < palette.size() ? palette.colour(i) : 0, out);
    }
    // Indices have at least two bits, even if there are only two colours.
    LzwEncoder.write(FloydSteinberg.indices(frame, palette), Math.max(2, bits), out);
  }

  private static void ascii(String text, ByteArrayOutputStream out) {
    out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static void colour(int rgb, ByteArrayOutputStream out) {
    out.write(rgb >> 16);
    out.write(rgb >> 8);
    out.write(rgb);
  }

  private static void u16(int value, ByteArrayOutputStream out) {
    out.write(value);
    out.write(value >> 8);
  }
}
