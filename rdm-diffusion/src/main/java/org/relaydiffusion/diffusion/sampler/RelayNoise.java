// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.blur.BlockNoise;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The noise of the relay, {@code N + s_block B}: N is independent and drawn first, in float64; B is
 * block noise, which is only drawn if s_block is above 0.
 *
 * @param options s_block and the side of a block
 * @param generators the source of random numbers
 * @param blockType the dtype in which block noise is drawn
 */
record RelayNoise(RelayOptions options, StackedGenerators generators, DType blockType) {
  /** Computes {@code x + t N + s_block t B}, float64. */
  Tensor addTo(Tensor x, double t) {
    try (var scope = TensorScope.open()) {
      Tensor noisy = x.add(generators.randnLike(x, DType.FLOAT64).mul(t));
      if (options.blockNoise() > 0) {
        noisy = noisy.add(block(x).mul(options.blockNoise() * t));
      }
      return scope.keep(noisy);
    }
  }

  /** Draws noise with the shape of {@code like}, float64. */
  Tensor draw(Tensor like) {
    try (var scope = TensorScope.open()) {
      Tensor n = generators.randnLike(like, DType.FLOAT64);
      if (options.blockNoise() == 0) {
        return scope.keep(n);
      }
      return scope.keep(n.add(block(like).mul(options.blockNoise())));
    }
  }

  private Tensor block(Tensor like) {
    try (var scope = TensorScope.open()) {
      Tensor drawn = generators.randnLike(like, blockType);
      return scope.keep(BlockNoise.of(drawn, options.upScale()));
    }
  }
}
