package org.relaydiffusion.diffusion.image;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.nio.file.Path;
import org.relaydiffusion.FileException;

/**
 * From Java's pictures to ours. Reads the stored samples themselves: Java's own conversion to RGB
 * would pass grey through a colour space with another gamma.
 */
final class RasterPixels {
  private static final int MOST_BITS = 16;

  private RasterPixels() {}

  /**
   * The 8-bit picture of a decoded one.
   *
   * @throws FileException naming {@code file}, for transparent pixels and unknown colour layouts
   */
  static Pixels of(BufferedImage image, Path file) {
    if (image.getColorModel() instanceof IndexColorModel palette) {
      return indexed(image.getRaster(), palette, file);
    }
    ColorModel colours = image.getColorModel();
    Raster raster = image.getRaster();
    int bands = raster.getNumBands();
    int channels = bands - (colours.hasAlpha() ? 1 : 0);
    if (channels != 1 && channels != 3) {
      throw new FileException(
          file, "has %s colour channels: only grey and RGB pictures are read".formatted(channels));
    }
    Pixels pixels = Pixels.black(raster.getWidth(), raster.getHeight(), channels);
    if (raster.getTransferType() == DataBuffer.TYPE_BYTE
        && raster.getNumDataElements() == channels
        && raster.getSampleModel().getSampleSize(0) == 8) {
      raster.getDataElements(
          raster.getMinX(), raster.getMinY(), raster.getWidth(), raster.getHeight(), pixels.data());
    } else {
      scaled(raster, colours.hasAlpha(), pixels, file);
    }
    return pixels;
  }

  /** Any number of bits a sample, scaled to 8 with rounding; alpha must be full. */
  private static void scaled(Raster raster, boolean alpha, Pixels pixels, Path file) {
    int bands = raster.getNumBands();
    int channels = pixels.channels();
    // By band: a BMP of 16 bits has 5, 6 and 5 of them.
    long[] full = full(raster, file);
    int[] row = new int[raster.getWidth() * bands];
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, raster.getWidth(), 1, row);
      for (int x = 0; x < raster.getWidth(); x++) {
        if (alpha && row[x * bands + channels] != full[channels]) {
          throw transparent(file, x, y);
        }
        for (int c = 0; c < channels; c++) {
          long value = (row[x * bands + c] * 255L + full[c] / 2) / full[c];
          pixels.data()[(y * pixels.width() + x) * channels + c] = (byte) value;
        }
      }
    }
  }

  /** The largest value of each band. */
  private static long[] full(Raster raster, Path file) {
    long[] full = new long[raster.getNumBands()];
    for (int band = 0; band < full.length; band++) {
      int bits = raster.getSampleModel().getSampleSize(band);
      if (bits < 1 || bits > MOST_BITS) {
        throw new FileException(
            file, "has samples of %s bits: 1 to %s are read".formatted(bits, MOST_BITS));
      }
      full[band] = (1L << bits) - 1;
    }
    return full;
  }

  private static Pixels indexed(Raster raster, IndexColorModel palette, Path file) {
    boolean grey = isGreyRamp(palette);
    int channels = grey ? 1 : 3;
    Pixels pixels = Pixels.black(raster.getWidth(), raster.getHeight(), channels);
    int[] row = new int[raster.getWidth()];
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, raster.getWidth(), 1, row);
      for (int x = 0; x < raster.getWidth(); x++) {
        if (row[x] >= palette.getMapSize()) {
          throw new FileException(
              file,
              "is damaged: colour %s of a palette of %s".formatted(row[x], palette.getMapSize()));
        }
        int argb = palette.getRGB(row[x]);
        if (argb >>> 24 != 0xff) {
          throw transparent(file, x, y);
        }
        for (int c = 0; c < channels; c++) {
          pixels.data()[(y * pixels.width() + x) * channels + c] = (byte) (argb >> 16 - 8 * c);
        }
      }
    }
    return pixels;
  }

  /** Java gives grey pictures of fewer than 8 bits a palette that rises evenly. */
  private static boolean isGreyRamp(IndexColorModel palette) {
    int size = palette.getMapSize();
    if (size < 2) {
      return false;
    }
    for (int i = 0; i < size; i++) {
      int grey = i * 255 / (size - 1);
      if (palette.getRGB(i) != (0xff000000 | grey * 0x010101)) {
        return false;
      }
    }
    return true;
  }

  private static FileException transparent(Path file, int x, int y) {
    return new FileException(
        file,
        "has transparent pixels, the first at (%s, %s): lay it on a background first"
            .formatted(x, y));
  }
}
