// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;

/**
 * c_skip = d^2 / (s^2 + d^2), c_out = s d / sqrt(s^2 + d^2), c_in = 1 / sqrt(s^2 + d^2), c_noise =
 * ln(s) / 4.
 */
final class EdmPreconditioner extends Preconditioner {
  EdmPreconditioner(ModelConfig config) {
    super(config);
  }

  @Override
  protected Coefficients coefficients(Tensor sigma) {
    double data = config().settings().real("sigma_data");
    Tensor total = Pointwise.square(sigma).add(data * data);
    Tensor root = Pointwise.sqrt(total);
    // Python's a / tensor is the reciprocal times a.
    return new Coefficients(
        Pointwise.reciprocal(total).mul(data * data),
        sigma.mul(data).div(root),
        Pointwise.reciprocal(root),
        Pointwise.log(sigma).div(4).reshape(-1));
  }
}
