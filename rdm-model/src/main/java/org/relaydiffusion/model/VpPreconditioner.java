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
  private final double sigmaMin;
  private final double sigmaMax;

  VpPreconditioner(ModelConfig config) {
    super(config);
    registerModel();
    try (TensorScope _ = TensorScope.open()) {
      sigmaMin = sigma(Torch.full(config.schedule().epsilonT(), DType.FLOAT32)).item();
      sigmaMax = sigma(Torch.ones(DType.FLOAT32)).item();
    }
  }

  @Override
  Coefficients coefficients(Tensor sigma) {
    return new Coefficients(
        null,
        Pointwise.neg(sigma),
        Pointwise.reciprocal(Pointwise.sqrt(Pointwise.square(sigma).add(1))),
        time(sigma).mul(config().schedule().steps() - 1.0).reshape(-1));
  }

  /** The noise level at time t, elementwise. */
  public Tensor sigma(Tensor t) {
    ModelConfig.Schedule s = config().schedule();
    try (TensorScope scope = TensorScope.open()) {
      Tensor exponent = Pointwise.square(t).mul(0.5 * s.betaD()).add(t.mul(s.betaMin()));
      return scope.keep(Pointwise.sqrt(Pointwise.exp(exponent).add(-1)));
    }
  }

  /** The time at noise level sigma, elementwise: the inverse of {@link #sigma}. */
  public Tensor time(Tensor sigma) {
    ModelConfig.Schedule s = config().schedule();
    try (TensorScope scope = TensorScope.open()) {
      Tensor log = Pointwise.log(Pointwise.square(sigma).add(1));
      Tensor root = Pointwise.sqrt(log.mul(2 * s.betaD()).add(s.betaMin() * s.betaMin()));
      return scope.keep(root.add(-s.betaMin()).div(s.betaD()));
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
