// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Noise that is correlated over blocks of pixels, as in a nearest-upsampled noisy image (arXiv
 * 2309.03350, section 3.2): each pixel is the sum of a b x b block of independent noise, divided by
 * b, so its standard deviation is 1.
 */
public final class BlockNoise {
  private BlockNoise() {}

  /**
   * Computes block noise from independent noise: the sum of {@code noise} rolled by (i, j) over
   * both image axes for all i and j from 0 to b - 1, in that order, divided by b.
   *
   * @param noise [N, C, H, W], standard normal
   * @param blockSize b, at least 1; with 1 the result equals the noise
   * @return [N, C, H, W] of the same dtype
   * @throws OptionException if {@code blockSize} is below 1
   */
  public static Tensor of(Tensor noise, int blockSize) {
    if (blockSize < 1) {
      throw new OptionException(
          "the side of a noise block must be at least 1, but is " + blockSize);
    }
    if (blockSize == 1) {
      return noise.reshape(noise.shape());
    }
    try (var scope = TensorScope.open()) {
      long[] axes = {2, 3};
      Tensor sum = noise.reshape(noise.shape());
      for (int i = 0; i < blockSize; i++) {
        for (int j = 0; j < blockSize; j++) {
          if (i == 0 && j == 0) {
            continue;
          }
          try (Tensor rolled = Shapes.roll(noise, new long[] {i, j}, axes);
              Tensor before = sum) {
            sum = before.add(rolled);
          }
        }
      }
      return scope.keep(sum.div(blockSize));
    }
  }
}
