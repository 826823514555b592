package org.relaydiffusion.diffusion.loss;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Tensor;

/**
 * The network as a loss calls it, once for each loss; a preconditioner's {@code denoise} is one.
 */
@FunctionalInterface
public interface TrainedDenoiser {
  /**
   * Denoises a batch, recording what gradients need.
   *
   * @param x noisy images [N, C, H, W], float32 or float64
   * @param sigma the noise levels [N, 1, 1, 1], of x's type
   * @param labels one-hot rows [N, labelDim], or none
   * @param augment augmentation labels float32 [N, augmentDim], or none
   * @return float32 [N, C, H, W], the caller's
   */
  Tensor denoise(Tensor x, Tensor sigma, @Nullable Tensor labels, @Nullable Tensor augment);

  /** Whether the loss computes around the network as the reference does, to the bit. */
  default Numerics numerics() {
    return Numerics.EXACT;
  }
}
