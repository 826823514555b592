// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.model.OfficialPreconditioner;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The variance preserving loss (Song et al., arXiv 2011.13456, as formulated by EDM, arXiv
 * 2206.00364, table 1): {@code sigma(t) = sqrt(exp(betaD t^2 / 2 + betaMin t) - 1)} for t uniform
 * in (epsilonT, 1], with weight {@code 1 / sigma^2}.
 *
 * @param betaD the growth of the noise rate
 * @param betaMin the noise rate at t = 0
 * @param epsilonT the smallest t
 */
public record VpLoss(double betaD, double betaMin, double epsilonT) implements Loss {
  /** Creates the loss with the paper's values. */
  public VpLoss() {
    this(19.9, 0.1, 1e-5);
  }

  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public VpLoss {
    Denoising.requirePositive("beta_d", betaD);
    Denoising.requirePositive("beta_min", betaMin);
    if (!(epsilonT > 0 && epsilonT < 1)) {
      throw new OptionException("epsilon_t must be in (0, 1), but is " + epsilonT);
    }
  }

  @Override
  public String name() {
    return "vp";
  }

  @Override
  public String preconditioner() {
    return OfficialPreconditioner.VP.className();
  }

  /** Returns the reference's class name, by which its Python code finds the loss. */
  @Override
  public String className() {
    return "training.loss.VPLoss";
  }

  @Override
  public Map<String, @Nullable Object> kwargs() {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("beta_d", betaD);
    kwargs.put("beta_min", betaMin);
    kwargs.put("epsilon_t", epsilonT);
    return kwargs;
  }

  @Override
  public Tensor of(
      TrainedDenoiser net,
      Tensor images,
      @Nullable Tensor labels,
      @Nullable AugmentPipe augment,
      NoiseSource random) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor t = random.uniformLevels(images).mul(epsilonT - 1).add(1);
      Tensor exponent = Pointwise.square(t).mul(0.5 * betaD).add(t.mul(betaMin));
      Tensor sigma = Pointwise.sqrt(Pointwise.exp(exponent).add(-1));
      Tensor weight = Denoising.inverseSquare(sigma);
      return scope.keep(Denoising.loss(net, images, labels, augment, random, sigma, weight));
    }
  }
}
