// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Common steps of losses; tensors that they return belong to the current scope. */
public final class Denoising {
  private Denoising() {}

  /**
   * The images to be predicted by the network, and their augmentation labels.
   *
   * @param images float32 [N, C, H, W]
   * @param labels augmentation labels, or none
   */
  public record Target(Tensor images, @Nullable Tensor labels) {
    /**
     * Augments, if requested. The result may be the images themselves, which remain owned by the
     * caller.
     *
     * @param images float32 [N, C, H, W] in [-1, 1]
     * @throws RdmException if the images have another shape or dtype
     */
    public static Target of(Tensor images, @Nullable AugmentPipe augment, NoiseSource random) {
      if (images.rank() != 4 || images.dtype() != DType.FLOAT32) {
        throw new RdmException(
            "a loss requires float32 images [N, C, H, W], but found " + images.describe());
      }
      if (augment == null) {
        return new Target(images, null);
      }
      AugmentPipe.Augmented augmented = augment.apply(images, random.device());
      return new Target(augmented.images(), augmented.labels());
    }

    /**
     * Computes the weighted squared error of the network's prediction for {@code noisy}.
     *
     * @param noisy [N, C, H, W], float32 or float64
     * @param sigma the noise levels [N, 1, 1, 1], of the same dtype
     * @param weight the weights [N, 1, 1, 1]
     * @param classLabels one-hot labels [N, labelDim], or none
     * @return [N, C, H, W]
     */
    public Tensor error(
        TrainedDenoiser net,
        Tensor noisy,
        Tensor sigma,
        Tensor weight,
        @Nullable Tensor classLabels) {
      try (TensorScope scope = TensorScope.open()) {
        Tensor denoised = net.denoise(noisy, sigma, classLabels, labels);
        Tensor squared = Pointwise.square(denoised.sub(images));
        return scope.keep(weight.mul(squared));
      }
    }
  }

  /**
   * Computes the loss {@code weight (D(y + sigma N; sigma) - y)^2} with independent noise N: draws
   * the augmentation, then the noise, and calls the network once.
   *
   * @param sigma the noise levels, float32 [N, 1, 1, 1]
   * @param weight the weights [N, 1, 1, 1]
   * @return [N, C, H, W]; the other parameters are those of {@link Loss#of}
   */
  public static Tensor loss(
      TrainedDenoiser net,
      Tensor images,
      @Nullable Tensor labels,
      @Nullable AugmentPipe augment,
      NoiseSource random,
      Tensor sigma,
      Tensor weight) {
    try (TensorScope scope = TensorScope.open()) {
      Target target = Target.of(images, augment, random);
      Tensor noise = random.noise(target.images()).mul(sigma);
      Tensor noisy = target.images().add(noise);
      noise.close();
      return scope.keep(target.error(net, noisy, sigma, weight, labels));
    }
  }

  /** Computes EDM's weight {@code (sigma^2 + sigmaData^2) / (sigma sigmaData)^2}. */
  static Tensor edmWeight(Tensor sigma, double sigmaData) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor sum = Pointwise.square(sigma).add(sigmaData * sigmaData);
      return scope.keep(sum.div(Pointwise.square(sigma.mul(sigmaData))));
    }
  }

  /** Computes the weight of VP and VE, {@code 1 / sigma^2}. */
  static Tensor inverseSquare(Tensor sigma) {
    try (TensorScope scope = TensorScope.open()) {
      return scope.keep(Pointwise.reciprocal(Pointwise.square(sigma)));
    }
  }

  /** Computes the minimum of {@code x} and {@code largest}. */
  static Tensor atMost(Tensor x, double largest) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor bound = Torch.full(largest, x.dtype(), x.device());
      return scope.keep(Pointwise.clamp(x, null, bound));
    }
  }

  /** Rejects a number that is not finite and above 0, by name. */
  static void requirePositive(String name, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new OptionException(
          "%s must be a finite number above 0, but is %s".formatted(name, value));
    }
  }
}
