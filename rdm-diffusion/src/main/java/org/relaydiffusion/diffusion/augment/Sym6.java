// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.function.UnaryOperator;
import org.relaydiffusion.diffusion.transfer.HostValues;
import org.relaydiffusion.diffusion.transfer.HostValues.Sent;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Upsampling and downsampling of images by two with the low-pass filter of the symlet wavelet with
 * 6 vanishing moments (Daubechies, Ten Lectures on Wavelets, table 8.3). The filter is orthogonal
 * to its even shifts, and downsampling is the transpose of upsampling: one after the other is the
 * identity, even though the filter is asymmetric. Pixel i is at element 2i of the upsampled image.
 *
 * <p>Both are computed as products with a banded matrix on each side, which is faster than
 * convolutions of single channels.
 */
final class Sym6 {
  /** The length of the filter. */
  static final int TAPS = 12;

  /** Upsampling spreads pixel i over the elements 2i - BEFORE to 2i - BEFORE + TAPS - 1. */
  static final int BEFORE = 5;

  /** The number of image pixels within half of the filter. */
  static final int REACH = TAPS / 4;

  private static final double[] LOW_PASS = {
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148
  };

  private Sym6() {}

  /**
   * Prepares to upsample both axes by two with zero padding.
   *
   * @param values takes the matrices to the device of the images
   * @return maps float32 [N, C, height, width] to [N, C, 2 height, 2 width], once the values have
   *     been sent
   */
  static UnaryOperator<Tensor> doubling(HostValues values, int width, int height) {
    return bothSides(values, doubling(height), doubling(width));
  }

  /**
   * Prepares to downsample both axes by two. Pixel i of the result is computed from the elements 2i
   * to 2i + TAPS - 1, so no padding is needed.
   *
   * @param values takes the matrices to the device of the images
   * @param width of the result
   * @param height of the result
   * @return maps float32 [N, C, 2 height + TAPS - 2, 2 width + TAPS - 2] to [N, C, height, width],
   *     once the values have been sent
   */
  static UnaryOperator<Tensor> halving(HostValues values, int width, int height) {
    return bothSides(values, halving(height), halving(width));
  }

  /** A matrix, row by row. */
  private record Matrix(int rows, int columns, float[] values) {
    Sent on(HostValues device) {
      return device.add(Torch.tensor(values, rows, columns));
    }
  }

  /** Returns [2n, n]: column i is the filter from row 2i - BEFORE on, with sum 2. */
  private static Matrix doubling(int n) {
    Matrix m = new Matrix(2 * n, n, new float[2 * n * n]);
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < TAPS; k++) {
        int row = 2 * i - BEFORE + k;
        if (row >= 0 && row < m.rows) {
          m.values[row * n + i] = tap(k, 2);
        }
      }
    }
    return m;
  }

  /** Returns [n, 2n + TAPS - 2]: row i is the filter from column 2i on, with sum 1. */
  private static Matrix halving(int n) {
    int columns = 2 * n + TAPS - 2;
    Matrix m = new Matrix(n, columns, new float[n * columns]);
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < TAPS; k++) {
        m.values[i * columns + 2 * i + k] = tap(k, 1);
      }
    }
    return m;
  }

  /** Returns tap k of the filter with sum {@code gain}; the sum of the table is sqrt(2). */
  private static float tap(int k, double gain) {
    return (float) (LOW_PASS[k] * gain / Math.sqrt(2));
  }

  /** Returns the filter of the table, with sum sqrt(2): float32 [TAPS], in the current scope. */
  static Tensor filter() {
    float[] taps = new float[TAPS];
    for (int k = 0; k < TAPS; k++) {
      taps[k] = (float) LOW_PASS[k];
    }
    return Torch.tensor(taps, TAPS);
  }

  /** Computes {@code left X right^T} for every channel X of every image. */
  private static UnaryOperator<Tensor> bothSides(HostValues values, Matrix left, Matrix right) {
    Sent before = left.on(values);
    Sent after = right.on(values);
    return x -> {
      long planes = x.size(0) * x.size(1);
      try (TensorScope scope = TensorScope.open()) {
        Tensor rows =
            LinearAlgebra.matmul(x.reshape(-1, right.columns), Shapes.transpose(after.get(), 0, 1));
        Tensor repeated =
            Shapes.expand(Shapes.unsqueeze(before.get(), 0), planes, left.rows, left.columns);
        Tensor both = LinearAlgebra.bmm(repeated, rows.reshape(planes, left.columns, right.rows));
        return scope.keep(both.reshape(x.size(0), x.size(1), left.rows, right.rows));
      }
    };
  }
}
