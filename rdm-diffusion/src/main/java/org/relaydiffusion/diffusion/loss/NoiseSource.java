package org.relaydiffusion.diffusion.loss;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Where a loss draws from. The generators stay the caller's.
 *
 * @param host a generator on the CPU, from which the blurring loss takes its noise levels
 * @param device the generator of all else: noise levels, augmentation, noise; the same one as
 *     {@code host} when the training runs on the CPU
 */
public record NoiseSource(Generator host, Generator device) {
  /** The default generators of the process, from which dropout draws as well. */
  public static NoiseSource global(Device device) {
    return new NoiseSource(Generator.global(), Generator.global(device));
  }

  /** One standard normal number an image: float32 [N, 1, 1, 1] on the images' device. */
  Tensor normalLevels(Tensor images) {
    return moved(device.randn(DType.FLOAT32, images.size(0), 1, 1, 1), images);
  }

  /** One number from [0, 1) an image: float32 [N, 1, 1, 1] on the images' device. */
  Tensor uniformLevels(Tensor images) {
    return moved(device.rand(DType.FLOAT32, images.size(0), 1, 1, 1), images);
  }

  /** Standard normal noise of the images' shape, type and device. */
  Tensor noise(Tensor images) {
    return moved(device.randn(images.dtype(), images.shape()), images);
  }

  private static Tensor moved(Tensor drawn, Tensor images) {
    try (TensorScope scope = TensorScope.open();
        drawn) {
      return scope.keep(drawn.to(images.device()));
    }
  }
}
