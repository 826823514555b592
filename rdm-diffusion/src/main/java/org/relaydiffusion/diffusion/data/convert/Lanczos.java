// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.image.PictureBudget;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * Pillow's {@code resize(size, LANCZOS)} of 8-bit images, bit-identical to version 9.4: first along
 * the rows, then along the columns, with each result rounded to 8 bits. The weights are the sinc
 * windowed with support 3, widened for downsampling, in fixed point with 22 fractional bits.
 */
final class Lanczos {
  private static final int PRECISION_BITS = 32 - 8 - 2;
  private static final double SUPPORT = 3;

  private Lanczos() {}

  /**
   * Returns the image in another size; the image itself if it already has that size.
   *
   * @throws RdmException if the intermediate image, with the new width and the old height, has too
   *     many pixels
   */
  static Pixels resize(Pixels picture, Resolution size) {
    if ((long) size.width() * picture.height() > PictureBudget.MOST_PIXELS) {
      throw new RdmException(
          "has %s x %s pixels, too many rows to resize it to %s"
              .formatted(picture.width(), picture.height(), size));
    }
    Pixels wide = picture;
    if (picture.width() != size.width()) {
      wide = alongRows(picture, Weights.of(picture.width(), size.width()));
    }
    return picture.height() == size.height()
        ? wide
        : alongColumns(wide, Weights.of(picture.height(), size.height()));
  }

  private static Pixels alongRows(Pixels from, Weights weights) {
    int channels = from.channels();
    Pixels to = Pixels.black(weights.size(), from.height(), channels);
    byte[] in = from.data();
    byte[] out = to.data();
    int at = 0;
    for (int y = 0; y < from.height(); y++) {
      int row = y * from.width() * channels;
      for (int x = 0; x < weights.size(); x++) {
        int first = row + weights.first[x] * channels;
        for (int c = 0; c < channels; c++) {
          out[at++] = weights.sum(in, first + c, channels, x);
        }
      }
    }
    return to;
  }

  private static Pixels alongColumns(Pixels from, Weights weights) {
    int row = from.width() * from.channels();
    Pixels to = Pixels.black(from.width(), weights.size(), from.channels());
    byte[] in = from.data();
    byte[] out = to.data();
    int at = 0;
    for (int y = 0; y < weights.size(); y++) {
      int first = weights.first[y] * row;
      for (int x = 0; x < row; x++) {
        out[at++] = weights.sum(in, first + x, row, y);
      }
    }
    return to;
  }

  /**
   * The inputs of each output.
   *
   * @param first the first input of each output
   * @param of the weights of that input and the following ones, in fixed point
   */
  private record Weights(int[] first, int[][] of) {
    static Weights of(int from, int to) {
      double scale = (double) from / to;
      double widening = Math.max(scale, 1);
      double support = SUPPORT * widening;
      int[] first = new int[to];
      int[][] of = new int[to][];
      for (int i = 0; i < to; i++) {
        double centre = (i + 0.5) * scale;
        int low = Math.max((int) (centre - support + 0.5), 0);
        int high = Math.min((int) (centre + support + 0.5), from);
        double[] weights = new double[high - low];
        double sum = 0;
        for (int j = 0; j < weights.length; j++) {
          weights[j] = filter((j + low - centre + 0.5) * (1 / widening));
          sum += weights[j];
        }
        first[i] = low;
        of[i] = fixed(weights, sum);
      }
      return new Weights(first, of);
    }

    int size() {
      return first.length;
    }

    /**
     * Computes one value for output {@code to} from inputs {@code step} bytes apart, beginning at
     * {@code start}.
     */
    byte sum(byte[] in, int start, int step, int to) {
      int sum = 1 << (PRECISION_BITS - 1);
      int at = start;
      for (int weight : of[to]) {
        sum += (in[at] & 0xff) * weight;
        at += step;
      }
      return (byte) Math.clamp(sum >> PRECISION_BITS, 0, 255);
    }

    private static int[] fixed(double[] weights, double sum) {
      int[] fixed = new int[weights.length];
      for (int j = 0; j < fixed.length; j++) {
        double weight = (sum == 0 ? weights[j] : weights[j] / sum) * (1 << PRECISION_BITS);
        fixed[j] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
      }
      return fixed;
    }

    private static double filter(double x) {
      return -SUPPORT <= x && x < SUPPORT ? sinc(x) * sinc(x / SUPPORT) : 0;
    }

    private static double sinc(double x) {
      if (x == 0) {
        return 1;
      }
      double angle = x * Math.PI;
      return StrictMath.sin(angle) / angle;
    }
  }
}
