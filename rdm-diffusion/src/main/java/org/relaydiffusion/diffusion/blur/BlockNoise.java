package org.relaydiffusion.diffusion.blur;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Noise that is correlated over blocks of pixels, as a nearest-upsampled image's noise is (arXiv
 * 2309.03350, section 3.2): each pixel is the sum of a b x b block of independent noise, divided by
 * b, so its deviation stays 1.
 */
public final class BlockNoise {
  private BlockNoise() {}

  /**
   * Block noise from independent noise: the sum of {@code noise} rolled by (i, j) for all i and j
   * in [0, b) over both image axes, in that order, divided by b.
   *
   * @param noise [N, C, H, W], standard normal
   * @param blockSize b, at least 1; 1 gives the noise itself
   * @return [N, C, H, W] in the same type
   */
  public static Tensor of(Tensor noise, int blockSize) {
    if (blockSize < 1) {
      throw new OptionException("a noise block's side must be at least 1, but is " + blockSize);
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
