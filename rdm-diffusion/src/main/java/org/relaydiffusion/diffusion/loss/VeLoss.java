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
import org.relaydiffusion.torch.Torch;

/**
 * The variance exploding loss (Song et al., arXiv 2011.13456, as formulated by EDM, arXiv
 * 2206.00364, table 1): ln sigma is uniform between the logarithms of the bounds, with weight
 * {@code 1 / sigma^2}.
 *
 * @param sigmaMin the smallest noise level
 * @param sigmaMax the largest noise level
 */
public record VeLoss(double sigmaMin, double sigmaMax) implements Loss {
  /** Creates the loss with the paper's values. */
  public VeLoss() {
    this(0.02, 100);
  }

  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public VeLoss {
    Denoising.requirePositive("sigma_min", sigmaMin);
    Denoising.requirePositive("sigma_max", sigmaMax);
    if (sigmaMin > sigmaMax) {
      throw new OptionException(
          "sigma_max must be at least sigma_min, %s, but is %s".formatted(sigmaMin, sigmaMax));
    }
  }

  @Override
  public String name() {
    return "ve";
  }

  @Override
  public String preconditioner() {
    return OfficialPreconditioner.VE.className();
  }

  /** Returns the reference's class name, by which its Python code finds the loss. */
  @Override
  public String className() {
    return "training.loss.VELoss";
  }

  @Override
  public Map<String, @Nullable Object> kwargs() {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("sigma_min", sigmaMin);
    kwargs.put("sigma_max", sigmaMax);
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
      Tensor ratio = Torch.full(sigmaMax / sigmaMin, images.dtype(), images.device());
      Tensor sigma = Pointwise.pow(ratio, random.uniformLevels(images)).mul(sigmaMin);
      Tensor weight = Denoising.inverseSquare(sigma);
      return scope.keep(Denoising.loss(net, images, labels, augment, random, sigma, weight));
    }
  }
}
