// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.extension;

import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;

/** c_skip = 1 / (s^2 + 1), c_out = g s / sqrt(s^2 + 1), c_in = 1 / sqrt(s^2 + 1), c_noise = s. */
final class ToyPreconditioner extends Preconditioner {
  private final double gain;

  ToyPreconditioner(ModelConfig config) {
    super(config);
    gain = config.settings().real("gain");
  }

  @Override
  protected Coefficients coefficients(Tensor sigma) {
    Tensor total = Pointwise.square(sigma).add(1);
    Tensor in = Pointwise.reciprocal(Pointwise.sqrt(total));
    return new Coefficients(
        Pointwise.reciprocal(total), sigma.mul(in).mul(gain), in, sigma.reshape(-1));
  }
}
