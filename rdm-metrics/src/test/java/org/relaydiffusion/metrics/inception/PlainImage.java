// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** One image in plain Java: every operation is the loop that defines it, in float64. */
record PlainImage(int channels, int height, int width, double[] values) {
  PlainImage(int channels, int height, int width) {
    this(channels, height, width, new double[channels * height * width]);
  }

  /** Image {@code n} of [N, C, H, W]. */
  static PlainImage of(Tensor images, int n) {
    try (TensorScope _ = TensorScope.open()) {
      Tensor image = Shapes.select(images, 0, n);
      return new PlainImage(
          (int) image.size(0), (int) image.size(1), (int) image.size(2), image.toDoubles());
    }
  }

  double at(int c, int y, int x) {
    return values[(c * height + y) * width + x];
  }

  private void set(int c, int y, int x, double value) {
    values[(c * height + y) * width + x] = value;
  }

  private boolean has(int y, int x) {
    return y >= 0 && y < height && x >= 0 && x < width;
  }

  PlainImage mapped(DoubleUnaryOperator f) {
    return new PlainImage(channels, height, width, Arrays.stream(values).map(f).toArray());
  }

  /** Cross-correlation with a weight [O, C, kh, kw]; zeros beyond the edges. */
  PlainImage convolved(double[] weight, int out, int kh, int kw, int stride, int ph, int pw) {
    PlainImage y =
        new PlainImage(
            out, (height + 2 * ph - kh) / stride + 1, (width + 2 * pw - kw) / stride + 1);
    for (int o = 0; o < out; o++) {
      for (int row = 0; row < y.height; row++) {
        for (int column = 0; column < y.width; column++) {
          double sum = 0;
          for (int c = 0; c < channels; c++) {
            for (int i = 0; i < kh; i++) {
              for (int j = 0; j < kw; j++) {
                int sy = row * stride + i - ph;
                int sx = column * stride + j - pw;
                if (has(sy, sx)) {
                  sum += weight[((o * channels + c) * kh + i) * kw + j] * at(c, sy, sx);
                }
              }
            }
          }
          y.set(o, row, column, sum);
        }
      }
    }
    return y;
  }

  /** (x - mean) / sqrt(var + eps) + beta, then no less than 0. */
  PlainImage normalised(double[] mean, double[] var, double[] beta, double eps) {
    PlainImage y = new PlainImage(channels, height, width);
    for (int c = 0; c < channels; c++) {
      for (int row = 0; row < height; row++) {
        for (int column = 0; column < width; column++) {
          double value = (at(c, row, column) - mean[c]) / Math.sqrt(var[c] + eps) + beta[c];
          y.set(c, row, column, Math.max(0, value));
        }
      }
    }
    return y;
  }

  enum Pool {
    AVERAGE,
    MAXIMUM
  }

  /** Over those pixels of each square that exist. */
  PlainImage pooled(Pool pool, int size, int stride, int padding) {
    PlainImage y =
        new PlainImage(
            channels,
            (height + 2 * padding - size) / stride + 1,
            (width + 2 * padding - size) / stride + 1);
    for (int c = 0; c < channels; c++) {
      for (int row = 0; row < y.height; row++) {
        for (int column = 0; column < y.width; column++) {
          int count = 0;
          double sum = 0;
          double largest = Double.NEGATIVE_INFINITY;
          for (int i = 0; i < size * size; i++) {
            int sy = row * stride + i / size - padding;
            int sx = column * stride + i % size - padding;
            if (has(sy, sx)) {
              count++;
              sum += at(c, sy, sx);
              largest = Math.max(largest, at(c, sy, sx));
            }
          }
          y.set(c, row, column, pool == Pool.AVERAGE ? sum / count : largest);
        }
      }
    }
    return y;
  }

  /** Channels one after another. */
  static PlainImage joined(List<PlainImage> parts) {
    PlainImage first = parts.getFirst();
    int channels = parts.stream().mapToInt(PlainImage::channels).sum();
    PlainImage y = new PlainImage(channels, first.height, first.width);
    int at = 0;
    for (PlainImage p : parts) {
      System.arraycopy(p.values, 0, y.values, at, p.values.length);
      at += p.values.length;
    }
    return y;
  }

  /**
   * Pixel i of the result lies at i * size / result of this image; bilinear between neighbours, and
   * the last pixel beyond the last.
   */
  PlainImage resized(int result) {
    PlainImage y = new PlainImage(channels, result, result);
    for (int c = 0; c < channels; c++) {
      for (int row = 0; row < result; row++) {
        double sy = Math.min(height - 1.0, (double) row * height / result);
        int top = (int) sy;
        int bottom = Math.min(height - 1, top + 1);
        for (int column = 0; column < result; column++) {
          double sx = Math.min(width - 1.0, (double) column * width / result);
          int left = (int) sx;
          int right = Math.min(width - 1, left + 1);
          double above = at(c, top, left) * (1 - sx + left) + at(c, top, right) * (sx - left);
          double below = at(c, bottom, left) * (1 - sx + left) + at(c, bottom, right) * (sx - left);
          y.set(c, row, column, above * (1 - sy + top) + below * (sy - top));
        }
      }
    }
    return y;
  }
}
