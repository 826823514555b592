// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Tensor;

/** The network as called by a loss; the {@code denoise} of a preconditioner is one. */
@FunctionalInterface
public interface TrainedDenoiser {
  /**
   * Denoises a batch, recording gradients.
   *
   * @param x noisy images [N, C, H, W], float32 or float64
   * @param sigma the noise levels [N, 1, 1, 1], of the same dtype
   * @param labels one-hot labels [N, labelDim], or none
   * @param augment augmentation labels, float32 [N, augmentDim], or none
   * @return float32 [N, C, H, W], owned by the caller
   */
  Tensor denoise(Tensor x, Tensor sigma, @Nullable Tensor labels, @Nullable Tensor augment);

  /** Returns whether the loss must be bit-identical to the reference around the network. */
  default Numerics numerics() {
    return Numerics.EXACT;
  }
}
