// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;

/** c_skip = 1, c_out = s, c_in = 1, c_noise = ln(s / 2). */
final class VePreconditioner extends Preconditioner {
  VePreconditioner(ModelConfig config) {
    super(config);
  }

  @Override
  protected Coefficients coefficients(Tensor sigma) {
    return new Coefficients(null, sigma, null, Pointwise.log(sigma.mul(0.5)).reshape(-1));
  }
}
