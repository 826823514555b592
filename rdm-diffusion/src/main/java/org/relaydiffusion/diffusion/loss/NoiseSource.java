// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The generators from which a loss draws; they remain owned by the caller.
 *
 * @param host a generator on the CPU, from which the blurring loss draws its noise levels
 * @param device the generator of everything else: noise levels, augmentation, noise; equal to
 *     {@code host} for training on the CPU
 */
public record NoiseSource(Generator host, Generator device) {
  /** Returns the default generators of the process, from which dropout draws as well. */
  public static NoiseSource global(Device device) {
    return new NoiseSource(Generator.global(), Generator.global(device));
  }

  /**
   * Draws one standard normal number per image: float32 [N, 1, 1, 1] on the device of the images.
   */
  public Tensor normalLevels(Tensor images) {
    return moved(device.randn(DType.FLOAT32, images.size(0), 1, 1, 1), images);
  }

  /** Draws one number from [0, 1) per image: float32 [N, 1, 1, 1] on the device of the images. */
  public Tensor uniformLevels(Tensor images) {
    return moved(device.rand(DType.FLOAT32, images.size(0), 1, 1, 1), images);
  }

  /** Draws standard normal noise with the shape, dtype and device of the images. */
  public Tensor noise(Tensor images) {
    return moved(device.randn(images.dtype(), images.shape()), images);
  }

  private static Tensor moved(Tensor drawn, Tensor images) {
    try (TensorScope scope = TensorScope.open();
        drawn) {
      return scope.keep(drawn.to(images.device()));
    }
  }
}
