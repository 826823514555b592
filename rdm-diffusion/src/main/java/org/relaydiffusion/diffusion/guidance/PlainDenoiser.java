// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.guidance;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * A network without guidance.
 *
 * @param network the network
 * @param labels one-hot rows [N, labelDim] float32, or null for an unconditional network
 */
public record PlainDenoiser(Denoiser network, @Nullable Tensor labels) implements GuidedDenoiser {
  @Override
  public Tensor denoise(Tensor x, double sigma) {
    try (var scope = TensorScope.open()) {
      return scope.keep(network.denoise(x, level(x, sigma), labels).to(DType.FLOAT64));
    }
  }

  @Override
  public GuidedDenoiser unguided() {
    return this;
  }

  /** Returns a 0-dim noise level, filled on the device: a copy from the host would wait. */
  static Tensor level(Tensor x, double sigma) {
    return Torch.full(sigma, DType.FLOAT64, x.device());
  }
}
