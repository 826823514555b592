// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * c_skip = 1, c_out = -s, c_in = 1 / sqrt(s^2 + 1), c_noise = (M - 1) t(s), where sigma(t) =
 * sqrt(exp(beta_d t^2 / 2 + beta_min t) - 1).
 */
public final class VpPreconditioner extends Preconditioner {
  private final double betaD;
  private final double betaMin;
  private final int steps;
  private final double sigmaMin;
  private final double sigmaMax;

  VpPreconditioner(ModelConfig config) {
    super(config);
    Settings s = config.settings();
    betaD = s.real("beta_d");
    betaMin = s.real("beta_min");
    steps = s.whole("M");
    try (TensorScope _ = TensorScope.open()) {
      sigmaMin = sigma(Torch.full(s.real("epsilon_t"), DType.FLOAT32)).item();
      sigmaMax = sigma(Torch.ones(DType.FLOAT32)).item();
    }
  }

  @Override
  protected Coefficients coefficients(Tensor sigma) {
    return new Coefficients(
        null,
        Pointwise.neg(sigma),
        Pointwise.reciprocal(Pointwise.sqrt(Pointwise.square(sigma).add(1))),
        time(sigma).mul(steps - 1.0).reshape(-1));
  }

  /** The noise level at time t, elementwise. */
  public Tensor sigma(Tensor t) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor exponent = Pointwise.square(t).mul(0.5 * betaD).add(t.mul(betaMin));
      return scope.keep(Pointwise.sqrt(Pointwise.exp(exponent).add(-1)));
    }
  }

  /** The time at noise level sigma, elementwise: the inverse of {@link #sigma}. */
  public Tensor time(Tensor sigma) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor log = Pointwise.log(Pointwise.square(sigma).add(1));
      Tensor root = Pointwise.sqrt(log.mul(2 * betaD).add(betaMin * betaMin));
      return scope.keep(root.add(-betaMin).div(betaD));
    }
  }

  @Override
  public double sigmaMin() {
    return sigmaMin;
  }

  @Override
  public double sigmaMax() {
    return sigmaMax;
  }
}
