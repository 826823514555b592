// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.awt.image.Raster;
import java.nio.file.Path;

/**
 * Decodes JPEG images to the pixel values of Pillow. The stored samples are decoded by the JDK's
 * libjpeg; their conversion is performed here, as in libjpeg-turbo and Pillow's {@code
 * convert("RGB")}, without colour management.
 */
final class JpegDecoder {
  /** A JPEG has at least one bit per block of 8 x 8 pixels; subsampling needs more, not less. */
  private static final long PIXELS_PER_BYTE = 64 * 8;

  private final JpegFile jpeg;
  private final Raster raster;
  private final int bands;
  private final int row;

  private JpegDecoder(JpegFile jpeg, Raster raster) {
    this.jpeg = jpeg;
    this.raster = raster;
    this.bands = raster.getNumBands();
    this.row = raster.getWidth() * bands;
  }

  /** Decodes as {@link PictureReader#decode}; the file must be a JPEG. */
  static Pixels decode(byte[] bytes, Path file) {
    JpegFile jpeg = JpegFile.parse(bytes, 0, bytes.length, file);
    jpeg.check();
    long held = bytes.length * PIXELS_PER_BYTE;
    PictureBudget.checkPixels(jpeg.width(), jpeg.height(), bytes.length, held, file);
    PictureBudget.checkPasses(jpeg.width(), jpeg.height(), jpeg.scans(), bytes.length, file);
    JavaDecoder decoder = new JavaDecoder(JpegFile.withoutMetadata(bytes), "jpeg", file);
    decoder.checkSize(PIXELS_PER_BYTE);
    int channels = jpeg.components().size() == 1 ? 1 : 3;
    return PictureBudget.decoded(
        file,
        jpeg.width(),
        jpeg.height(),
        jpeg.components().size() + channels,
        () -> decoder.converted(() -> new JpegDecoder(jpeg, decoder.samples()).pixels(channels)));
  }

  private Pixels pixels(int channels) {
    int width = raster.getWidth();
    int height = raster.getHeight();
    Pixels pixels = Pixels.black(width, height, channels);
    if (bands == 1) {
      raster.getDataElements(0, 0, width, height, pixels.data());
      return pixels;
    }
    byte[] samples = new byte[row];
    byte[] other = new byte[row];
    int halved = halvedRows();
    for (int y = 0; y < height; y++) {
      raster.getDataElements(0, y, width, 1, samples);
      if (halved != 0) {
        blend(samples, other, y, halved);
      }
      if (jpeg.isLumaAndChroma()) {
        YccColours.toRgb(samples, bands);
      }
      store(samples, pixels.data(), 3 * width * y);
    }
    return pixels;
  }

  /**
   * Returns, as bits, the components with half the rows but all columns: libjpeg-turbo interpolates
   * their rows, while the JDK's libjpeg repeats them.
   */
  private int halvedRows() {
    int horizontal = 0;
    int vertical = 0;
    for (JpegFile.Component component : jpeg.components()) {
      horizontal = Math.max(horizontal, component.horizontal());
      vertical = Math.max(vertical, component.vertical());
    }
    int halved = 0;
    for (int c = 0; c < bands; c++) {
      JpegFile.Component component = jpeg.components().get(c);
      if (component.horizontal() == horizontal && 2 * component.vertical() == vertical) {
        halved |= 1 << c;
      }
    }
    return halved;
  }

  /** Replaces repeated samples by 3/4 of themselves plus 1/4 of the nearest other row. */
  private void blend(byte[] samples, byte[] other, int y, int halved) {
    boolean isUpper = (y & 1) == 0;
    int nearest = isUpper ? Math.max(0, y - 1) : Math.min(raster.getHeight() - 1, y + 1);
    raster.getDataElements(0, nearest, raster.getWidth(), 1, other);
    int rounding = isUpper ? 1 : 2;
    for (int c = 0; c < bands; c++) {
      for (int i = (halved >> c & 1) == 0 ? row : c; i < row; i += bands) {
        samples[i] = (byte) ((3 * (samples[i] & 0xff) + (other[i] & 0xff) + rounding) >> 2);
      }
    }
  }

  private void store(byte[] samples, byte[] rgb, int at) {
    if (bands == 3) {
      System.arraycopy(samples, 0, rgb, at, row);
      return;
    }
    for (int i = 0, to = at; i < row; i += 4, to += 3) {
      // Pillow treats all such files as Adobe's, which contain inverted inks.
      int rest = samples[i + 3] & 0xff;
      for (int c = 0; c < 3; c++) {
        rgb[to + c] = YccColours.underBlack(255 - (samples[i + c] & 0xff), 255 - rest);
      }
    }
  }
}
