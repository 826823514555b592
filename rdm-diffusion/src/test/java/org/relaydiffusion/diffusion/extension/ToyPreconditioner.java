// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.extension;

import java.util.List;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.PreconditionerKind;
import org.relaydiffusion.model.Setting;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;

/** c_skip = 1 / (s^2 + 1), c_out = g s / sqrt(s^2 + 1), c_in = 1 / sqrt(s^2 + 1), c_noise = s. */
public final class ToyPreconditioner implements PreconditionerKind {
  @Override
  public String className() {
    return "ToyPrecond";
  }

  @Override
  public String defaultArchitecture() {
    return "ToyNet";
  }

  @Override
  public List<Setting> settings() {
    return List.of(Setting.real("gain", 1, 0, 10));
  }

  @Override
  public Preconditioner make(ModelConfig config) {
    double gain = config.settings().real("gain");
    return new Preconditioner(config) {
      @Override
      protected Coefficients coefficients(Tensor sigma) {
        Tensor total = Pointwise.square(sigma).add(1);
        Tensor in = Pointwise.reciprocal(Pointwise.sqrt(total));
        return new Coefficients(
            Pointwise.reciprocal(total), sigma.mul(in).mul(gain), in, sigma.reshape(-1));
      }
    };
  }
}
