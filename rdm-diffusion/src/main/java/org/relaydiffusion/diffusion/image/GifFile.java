// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.nio.file.Path;
import org.relaydiffusion.FileException;

/**
 * The first frame of a GIF on its canvas. Uncovered parts of the canvas have the transparent
 * colour, or the first colour if there is none, as in Pillow.
 */
final class GifFile {
  private static final int HEADER = 13;
  private static final int HAS_COLOURS = 0x80;
  private static final int EXTENSION = 0x21;
  private static final int GRAPHIC_CONTROL = 0xf9;
  private static final int PICTURE = 0x2c;

  /** The longest LZW codes have 12 bits and represent up to 4096 pixels, shorter ones fewer. */
  private static final long PIXELS_PER_BYTE = 4096;

  private final byte[] bytes;
  private final Path file;
  private int transparent;
  private int left;
  private int top;
  private int width;
  private int height;
  private final int canvasWidth;
  private final int canvasHeight;

  private GifFile(byte[] bytes, Path file) {
    this.bytes = bytes;
    this.file = file;
    if (bytes.length < HEADER) {
      throw damaged("it is truncated in its header");
    }
    findPicture(HEADER + colours(bytes[10]));
    canvasWidth = Math.max(u16(6), left + width);
    canvasHeight = Math.max(u16(8), top + height);
  }

  /** Returns the size of the canvas. */
  static PictureReader.Size size(byte[] bytes, Path file) {
    GifFile gif = new GifFile(bytes, file);
    return new PictureReader.Size(gif.canvasWidth, gif.canvasHeight);
  }

  /** Decodes as {@link PictureReader#decode}; the file must be a GIF. */
  static Pixels decode(byte[] bytes, Path file) {
    GifFile gif = new GifFile(bytes, file);
    PictureBudget.checkPixels(
        gif.canvasWidth,
        gif.canvasHeight,
        bytes.length,
        bytes.length * PIXELS_PER_BYTE + PictureBudget.FREE_PIXELS,
        file);
    JavaDecoder decoder = new JavaDecoder(bytes, "gif", file);
    PictureReader.Size size = decoder.checkSize(PIXELS_PER_BYTE);
    return PictureBudget.decoded(
        file,
        Math.max(size.width(), gif.canvasWidth),
        Math.max(size.height(), gif.canvasHeight),
        1 + 3 + 3,
        () -> decoder.converted(() -> gif.onCanvas(decoder.picture())));
  }

  private Pixels onCanvas(BufferedImage image) {
    Pixels picture = RasterPixels.plain(file, RasterPixels::isGreyByNumber).pixels(image);
    if (picture.width() == canvasWidth && picture.height() == canvasHeight) {
      return picture;
    }
    if (picture.width() != width || picture.height() != height) {
      throw damaged("it has two sizes");
    }
    int channels = picture.channels();
    Pixels canvas = Pixels.black(canvasWidth, canvasHeight, channels);
    if (image.getColorModel() instanceof IndexColorModel palette
        && transparent < palette.getMapSize()) {
      int rgb = palette.getRGB(transparent);
      byte[] colour = {(byte) (rgb >> 16), (byte) (rgb >> 8), (byte) rgb};
      for (int i = 0; i < canvas.data().length; i += channels) {
        System.arraycopy(colour, 0, canvas.data(), i, channels);
      }
    }
    for (int y = 0; y < height; y++) {
      System.arraycopy(
          picture.data(),
          y * width * channels,
          canvas.data(),
          ((top + y) * canvasWidth + left) * channels,
          width * channels);
    }
    return canvas;
  }

  private void findPicture(int start) {
    int at = start;
    while (at < bytes.length) {
      int kind = bytes[at] & 0xff;
      if (kind == PICTURE) {
        if (at + 10 > bytes.length) {
          break;
        }
        left = u16(at + 1);
        top = u16(at + 3);
        width = u16(at + 5);
        height = u16(at + 7);
        return;
      }
      if (kind == EXTENSION && at + 2 < bytes.length) {
        if ((bytes[at + 1] & 0xff) == GRAPHIC_CONTROL && at + 7 < bytes.length) {
          transparent = (bytes[at + 3] & 1) != 0 ? bytes[at + 6] & 0xff : 0;
        }
        at += 2;
        while (at < bytes.length && bytes[at] != 0) {
          at += 1 + (bytes[at] & 0xff);
        }
      }
      at++;
    }
    throw damaged("it has no image");
  }

  private static int colours(byte flags) {
    return (flags & HAS_COLOURS) == 0 ? 0 : 3 << ((flags & 7) + 1);
  }

  private int u16(int at) {
    return (bytes[at] & 0xff) | (bytes[at + 1] & 0xff) << 8;
  }

  private FileException damaged(String what) {
    return new FileException(file, "is a damaged GIF image: " + what);
  }
}
