// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.nio.file.Path;
import java.util.function.Predicate;
import org.relaydiffusion.FileException;

/**
 * Converts Java's images with the values of Pillow's {@code convert("RGB")}. The stored samples are
 * used directly: Java's own conversion to RGB would convert grayscale through a colour space with
 * another gamma. Samples of more than 8 bits are reduced to their highest 8, fewer bits are scaled
 * to the full range, and alpha is dropped.
 *
 * @param file the name used in messages
 * @param greyPalettes which palettes represent grayscale
 * @param colours number of colour samples: 1, 3, or 4 inks; 0 to use Java's information
 * @param isPremultiplied whether three colours are followed by alpha with which they are
 *     premultiplied
 */
record RasterPixels(
    Path file, Predicate<IndexColorModel> greyPalettes, int colours, boolean isPremultiplied) {
  private static final int MOST_BITS = 16;
  private static final int INKS = 4;

  /**
   * Creates a conversion of images whose samples Java describes, with another rule for palettes.
   */
  static RasterPixels plain(Path file, Predicate<IndexColorModel> greyPalettes) {
    return new RasterPixels(file, greyPalettes, 0, false);
  }

  /**
   * Returns the 8-bit image of a decoded one.
   *
   * @throws FileException for unknown layouts
   */
  Pixels pixels(BufferedImage image) {
    if (image.getColorModel() instanceof IndexColorModel palette) {
      return indexed(image.getRaster(), palette);
    }
    Raster raster = image.getRaster();
    int used = colours;
    if (used == 0) {
      used = raster.getNumBands() - (image.getColorModel().hasAlpha() ? 1 : 0);
    }
    if (raster.getNumBands() < used || (used != 1 && used != 3 && used != INKS)) {
      throw new FileException(
          file,
          "has %s colour channels, but only grayscale and RGB images are supported"
              .formatted(used));
    }
    int channels = used == 1 ? 1 : 3;
    Pixels pixels = Pixels.black(raster.getWidth(), raster.getHeight(), channels);
    if (raster.getTransferType() == DataBuffer.TYPE_BYTE
        && raster.getNumDataElements() == used
        && used != INKS
        && raster.getSampleModel().getSampleSize(0) == 8) {
      raster.getDataElements(
          raster.getMinX(), raster.getMinY(), raster.getWidth(), raster.getHeight(), pixels.data());
    } else {
      scaled(raster, used, pixels);
    }
    return pixels;
  }

  private void scaled(Raster raster, int used, Pixels pixels) {
    int bands = raster.getNumBands();
    // Per band: a 16-bit BMP has bands of 5, 6 and 5 bits.
    int[] bits = bits(raster);
    int[] row = new int[raster.getWidth() * bands];
    byte[] out = pixels.data();
    int at = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, raster.getWidth(), 1, row);
      for (int i = 0; i < row.length; i += bands) {
        if (used == INKS) {
          int black = eight(row[i + 3], bits[3]);
          for (int c = 0; c < 3; c++) {
            out[at++] = YccColours.underBlack(eight(row[i + c], bits[c]), black);
          }
          continue;
        }
        int alpha = isPremultiplied && bands > 3 ? eight(row[i + 3], bits[3]) : 255;
        for (int c = 0; c < used; c++) {
          int value = eight(row[i + c], bits[c]);
          out[at++] = (byte) (alpha == 0 ? 0 : Math.min(255, value * 255 / alpha));
        }
      }
    }
  }

  private static int eight(int value, int bits) {
    return bits > 8 ? value >> (bits - 8) : value * 255 / ((1 << bits) - 1);
  }

  private int[] bits(Raster raster) {
    int[] all = new int[raster.getNumBands()];
    for (int band = 0; band < all.length; band++) {
      int bits = raster.getSampleModel().getSampleSize(band);
      if (bits < 1 || bits > MOST_BITS) {
        throw new FileException(
            file,
            "has samples of %s bits, but only 1 to %s are supported".formatted(bits, MOST_BITS));
      }
      all[band] = bits;
    }
    return all;
  }

  /** Applies a palette to the indices of a raster. */
  Pixels indexed(Raster raster, IndexColorModel palette) {
    int channels = greyPalettes.test(palette) ? 1 : 3;
    Pixels pixels = Pixels.black(raster.getWidth(), raster.getHeight(), channels);
    int[] row = new int[raster.getWidth()];
    int at = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      // Band 0 only: the indices of a TIFF may be followed by alpha.
      raster.getSamples(raster.getMinX(), raster.getMinY() + y, raster.getWidth(), 1, 0, row);
      for (int x = 0; x < raster.getWidth(); x++) {
        if (row[x] >= palette.getMapSize()) {
          throw new FileException(
              file,
              "is damaged: colour %s of a palette of %s".formatted(row[x], palette.getMapSize()));
        }
        int rgb = palette.getRGB(row[x]);
        for (int c = 0; c < channels; c++) {
          pixels.data()[at++] = (byte) (rgb >> (16 - 8 * c));
        }
      }
    }
    return pixels;
  }

  /** Returns whether each colour is the grey value of its own index. */
  static boolean isGreyByNumber(IndexColorModel palette) {
    for (int i = 0; i < palette.getMapSize(); i++) {
      if ((palette.getRGB(i) & 0xffffff) != i * 0x010101) {
        return false;
      }
    }
    return true;
  }

  /** Returns whether the palette is black and white, in this order. */
  static boolean isBlackAndWhite(IndexColorModel palette) {
    return palette.getMapSize() == 2
        && (palette.getRGB(0) & 0xffffff) == 0
        && (palette.getRGB(1) & 0xffffff) == 0xffffff;
  }
}
