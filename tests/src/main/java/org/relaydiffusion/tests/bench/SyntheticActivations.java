// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Rows similar to Inception's pool features: of length 2048, nonnegative, with a decaying spectrum.
 */
final class SyntheticActivations {
  static final int DIMENSIONS = 2048;

  private static final double DECAY = 0.6;

  private SyntheticActivations() {}

  /**
   * Makes rows.
   *
   * @param seed of the rows; all have the same directions
   * @param strength how strongly the directions with little variance have been weakened, 1 for
   *     references
   * @return float64 [count, 2048], in the innermost scope
   */
  static Tensor rows(long seed, long count, double strength) {
    try (TensorScope scope = TensorScope.open();
        Generator directions = Generator.seeded(1);
        Generator draws = Generator.seeded(seed)) {
      double[] sizes = new double[DIMENSIONS];
      for (int i = 0; i < DIMENSIONS; i++) {
        sizes[i] = 3 * Math.pow(i + 1.0, -DECAY * strength);
      }
      Tensor scale = Torch.tensor(sizes, DIMENSIONS, 1).to(DType.FLOAT32);
      Tensor mix =
          directions
              .randn(DType.FLOAT32, DIMENSIONS, DIMENSIONS)
              .div(Math.sqrt(DIMENSIONS))
              .mul(scale);
      Tensor rows = LinearAlgebra.matmul(draws.randn(DType.FLOAT32, count, DIMENSIONS), mix);
      return scope.keep(Pointwise.abs(rows.add(0.3)).to(DType.FLOAT64));
    }
  }
}
