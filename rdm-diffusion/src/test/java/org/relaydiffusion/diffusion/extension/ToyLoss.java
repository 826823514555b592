// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.extension;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.diffusion.loss.Denoising;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.diffusion.loss.NoiseSource;
import org.relaydiffusion.diffusion.loss.TrainedDenoiser;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** Noise levels uniform in (0, sigmaMax], with weight 1 + 1 / s^2. */
public record ToyLoss(double sigmaMax) implements Loss {
  /** With its default, as {@code --precond=toy} asks for it. */
  public ToyLoss() {
    this(10);
  }

  @Override
  public String name() {
    return "toy";
  }

  @Override
  public String preconditioner() {
    return "ToyPrecond";
  }

  @Override
  public Map<String, @Nullable Object> kwargs() {
    return Map.of("sigma_max", sigmaMax);
  }

  @Override
  public Tensor of(
      TrainedDenoiser net,
      Tensor images,
      @Nullable Tensor labels,
      @Nullable AugmentPipe augment,
      NoiseSource random) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor sigma = random.uniformLevels(images).mul(-sigmaMax).add(sigmaMax);
      Tensor weight = Pointwise.reciprocal(Pointwise.square(sigma)).add(1);
      return scope.keep(Denoising.loss(net, images, labels, augment, random, sigma, weight));
    }
  }
}
