// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.diffusion.blur.BlockNoise;
import org.relaydiffusion.diffusion.blur.DctBlur;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The loss of the relay's second stage (arXiv 2309.03350, section 3): the network receives {@code
 * blur(y) + sigma (N + blockScale B)} and predicts y. Blur and noise increase together: for u
 * uniform in [0, 1), the standard deviation of the blur is {@code blurSigmaMax sin^2(u pi / 2)}
 * pixels, and sigma is the quantile {@code u probLength} of EDM's distribution of noise levels. The
 * weight is that of EDM, at most 1e5.
 *
 * <p>Noise levels, weights and the loss are float64, images and noise float32, as in the reference
 * after type promotion.
 *
 * @param blockScale the strength of the block noise, at least 0; with 0 there is none
 * @param upScale the side of a noise block, and of the patches that are blurred separately
 * @param probLength the fraction of the distribution of noise levels used for training, in (0, 1]
 * @param blurSigmaMax the standard deviation of the blur in pixels at u = 1
 */
public record BlurLoss(double blockScale, int upScale, double probLength, double blurSigmaMax)
    implements Loss {
  /** The loss with the defaults of the reference's training script. */
  public static final BlurLoss DEFAULT = new BlurLoss(0.15, 4, 0.93, 3);

  private static final double SIGMA_DATA = 0.5;

  /** The maximum weight; that of the smallest noise levels would otherwise dominate all others. */
  private static final double LARGEST_WEIGHT = 1e5;

  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public BlurLoss {
    if (!(blockScale >= 0) || Double.isInfinite(blockScale)) {
      throw new OptionException(
          "block_scale must be a finite number of at least 0, but is " + blockScale);
    }
    if (upScale < 1) {
      throw new OptionException("up_scale must be at least 1, but is " + upScale);
    }
    if (!(probLength > 0 && probLength <= 1)) {
      throw new OptionException("prob_length must be in (0, 1] to train, but is " + probLength);
    }
    if (!(blurSigmaMax >= 0) || Double.isInfinite(blurSigmaMax)) {
      throw new OptionException(
          "blur_sigma_max must be a finite number of at least 0, but is " + blurSigmaMax);
    }
  }

  @Override
  public String name() {
    return "blur";
  }

  /** Returns the reference's class name, by which its Python code finds the loss. */
  @Override
  public String className() {
    return "training.loss.BlurLoss";
  }

  @Override
  public Map<String, @Nullable Object> kwargs() {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("block_scale", blockScale);
    kwargs.put("up_scale", (long) upScale);
    kwargs.put("prob_length", probLength);
    kwargs.put("blur_sigma_max", blurSigmaMax);
    return kwargs;
  }

  /**
   * {@inheritDoc}
   *
   * <p>The noise levels come from {@link NoiseSource#host}, whatever the device.
   */
  @Override
  public Tensor of(
      TrainedDenoiser net,
      Tensor images,
      @Nullable Tensor labels,
      @Nullable AugmentPipe augment,
      NoiseSource random) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor uniform = random.host().rand(DType.FLOAT32, images.size(0));
      BlurLevels levels = BlurLevels.of(uniform.toFloats(), probLength);
      return scope.keep(of(net, images, labels, augment, random, levels));
    }
  }

  /** Computes the loss for given levels. */
  Tensor of(
      TrainedDenoiser net,
      Tensor images,
      @Nullable Tensor labels,
      @Nullable AugmentPipe augment,
      NoiseSource random,
      BlurLevels levels) {
    try (TensorScope scope = TensorScope.open()) {
      BlurLevels.OnDevice there = levels.on(images.device(), blurSigmaMax);
      Tensor sigma = there.sigma();
      Tensor weight = Denoising.atMost(Denoising.edmWeight(sigma, SIGMA_DATA), LARGEST_WEIGHT);
      Denoising.Target target = Denoising.Target.of(images, augment, random);
      Tensor noisy = noisy(target.images(), there, random, net.numerics());
      return scope.keep(target.error(net, noisy, sigma, weight, labels));
    }
  }

  private Tensor noisy(
      Tensor images, BlurLevels.OnDevice levels, NoiseSource random, Numerics numerics) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor blurred = new DctBlur(upScale).apply(images, levels.blurSigmas(), numerics);
      return scope.keep(blurred.add(noise(images, levels.sigma(), random)));
    }
  }

  /**
   * Computes {@code sigma (N + blockScale B)}; each term is converted to float64 before the
   * addition, as sigma is.
   */
  private Tensor noise(Tensor images, Tensor sigma, NoiseSource random) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor plain = random.noise(images);
      if (blockScale == 0) {
        return scope.keep(plain.mul(sigma));
      }
      // The reference also draws this noise and discards it; later draws depend on it.
      plain.close();
      Tensor pixels = random.noise(images).mul(sigma);
      Tensor blocks = BlockNoise.of(random.noise(images), upScale).mul(sigma);
      return scope.keep(pixels.add(blocks.mul(blockScale)));
    }
  }
}
