// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * EDM's loss: {@code ln sigma ~ N(pMean, pStd^2)}, weight {@code (sigma^2 + sigmaData^2) / (sigma
 * sigmaData)^2} (arXiv 2206.00364, table 1).
 *
 * @param pMean the mean of ln sigma
 * @param pStd the standard deviation of ln sigma
 * @param sigmaData the standard deviation of the images' values
 */
public record EdmLoss(double pMean, double pStd, double sigmaData) implements Loss {
  /** Creates the loss with the paper's values. */
  public EdmLoss() {
    this(-1.2, 1.2, 0.5);
  }

  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public EdmLoss {
    if (!Double.isFinite(pMean)) {
      throw new OptionException("P_mean must be a finite number, but is " + pMean);
    }
    Denoising.requirePositive("P_std", pStd);
    Denoising.requirePositive("sigma_data", sigmaData);
  }

  @Override
  public String name() {
    return "edm";
  }

  /** Returns the reference's class name, by which its Python code finds the loss. */
  @Override
  public String className() {
    return "training.loss.EDMLoss";
  }

  @Override
  public Map<String, @Nullable Object> kwargs() {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("P_mean", pMean);
    kwargs.put("P_std", pStd);
    kwargs.put("sigma_data", sigmaData);
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
      Tensor sigma = Pointwise.exp(random.normalLevels(images).mul(pStd).add(pMean));
      Tensor weight = Denoising.edmWeight(sigma, sigmaData);
      return scope.keep(Denoising.loss(net, images, labels, augment, random, sigma, weight));
    }
  }
}
