package org.relaydiffusion.diffusion.image;

import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.nio.file.Path;
import java.util.function.Predicate;
import org.relaydiffusion.FileException;

/**
 * From Java's pictures to ours, with the values of Pillow's {@code convert("RGB")}. Takes the
 * stored samples themselves: Java's own conversion to RGB would pass grey through a colour space
 * with another gamma. Of more than 8 bits the highest 8 are taken, fewer are spread over the range,
 * and alpha is left out.
 *
 * @param file what messages call the picture
 * @param greyPalettes which palettes stand for grey
 * @param colours how many of the samples are colours: 1, 3, or 4 inks; 0 for what Java says
 * @param isPremultiplied whether the sample behind three colours is alpha that they were multiplied
 *     by
 */
record RasterPixels(
    Path file, Predicate<IndexColorModel> greyPalettes, int colours, boolean isPremultiplied) {
  private static final int MOST_BITS = 16;
  private static final int INKS = 4;

  /** Of pictures whose samples Java tells, with another rule for palettes. */
  static RasterPixels plain(Path file, Predicate<IndexColorModel> greyPalettes) {
    return new RasterPixels(file, greyPalettes, 0, false);
  }

  /**
   * The 8-bit picture of a decoded one.
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
          file, "has %s colour channels: only grey and RGB pictures are read".formatted(used));
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
    // By band: a BMP of 16 bits has 5, 6 and 5 of them.
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
            file, "has samples of %s bits: 1 to %s are read".formatted(bits, MOST_BITS));
      }
      all[band] = bits;
    }
    return all;
  }

  /** The colours of a palette that a raster's numbers mean. */
  Pixels indexed(Raster raster, IndexColorModel palette) {
    int channels = greyPalettes.test(palette) ? 1 : 3;
    Pixels pixels = Pixels.black(raster.getWidth(), raster.getHeight(), channels);
    int[] row = new int[raster.getWidth()];
    int at = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      // Band 0 alone: behind the numbers of a TIFF there may be alpha.
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

  /** Whether each colour is the grey of its own number. */
  static boolean isGreyByNumber(IndexColorModel palette) {
    for (int i = 0; i < palette.getMapSize(); i++) {
      if ((palette.getRGB(i) & 0xffffff) != i * 0x010101) {
        return false;
      }
    }
    return true;
  }

  /** Whether the palette is black and white, in this order. */
  static boolean isBlackAndWhite(IndexColorModel palette) {
    return palette.getMapSize() == 2
        && (palette.getRGB(0) & 0xffffff) == 0
        && (palette.getRGB(1) & 0xffffff) == 0xffffff;
  }
}
