// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** The rate of float32 matrix products alone, one on each of several threads. */
final class ProductRate {
  private static final int ROWS = 1024;
  private static final int REPEATS = 12;

  private ProductRate() {}

  /** Operations a second of all threads together. */
  static double measure(int threads) {
    long dimensions = SyntheticActivations.DIMENSIONS;
    try (Tensor a = Torch.full(0.5, DType.FLOAT32, ROWS, dimensions).release();
        Tensor b = Torch.full(0.25, DType.FLOAT32, ROWS, dimensions).release()) {
      long start = System.nanoTime();
      Threads.run(
          threads,
          threads,
          _ -> {
            for (int i = 0; i < REPEATS; i++) {
              try (TensorScope _ = TensorScope.open()) {
                LinearAlgebra.matmul(a, Shapes.transpose(b, 0, 1));
              }
            }
          });
      double operations = 2.0 * ROWS * ROWS * dimensions * REPEATS * threads;
      return operations / ((System.nanoTime() - start) / 1e9);
    }
  }
}
