// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.util.List;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.PreconditionerKind;
import org.relaydiffusion.model.Setting;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;

/** c_skip = 1, c_out = s, c_in = 1, c_noise = ln s. */
public final class SkippingPreconditioner implements PreconditionerKind {
  @Override
  public String className() {
    return "SkippingPrecond";
  }

  @Override
  public String defaultArchitecture() {
    return "DhariwalUNet";
  }

  @Override
  public List<Setting> settings() {
    return List.of();
  }

  @Override
  public Preconditioner make(ModelConfig config) {
    return new Preconditioner(config) {
      @Override
      protected Coefficients coefficients(Tensor sigma) {
        return new Coefficients(null, sigma, null, Pointwise.log(sigma).reshape(-1));
      }
    };
  }
}
