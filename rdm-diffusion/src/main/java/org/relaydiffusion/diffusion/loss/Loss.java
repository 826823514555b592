// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.torch.Tensor;

/**
 * A training loss: the weighted squared error {@code w(sigma) (D(y + n; sigma) - y)^2} of every
 * pixel, for noise levels drawn by the loss (EDM, arXiv 2206.00364, eq. 8 and table 1).
 */
public sealed interface Loss permits EdmLoss, VpLoss, VeLoss, BlurLoss {
  /**
   * Computes the loss of a batch. It draws the noise levels, then the values of the augmentation,
   * then the noise, and then calls the network once.
   *
   * @param net the network, which may also draw random numbers (dropout)
   * @param images float32 [N, C, H, W] in [-1, 1]; not modified
   * @param labels one-hot labels [N, labelDim], or none
   * @param augment augments the images first; none leaves them unchanged, without augmentation
   *     labels
   * @param random the source of random numbers
   * @return [N, C, H, W], float32 (float64 for {@link BlurLoss}), in the current scope; gradients
   *     of its sum propagate to the network's parameters
   * @throws org.relaydiffusion.RdmException if the images have another shape or dtype
   */
  Tensor of(
      TrainedDenoiser net,
      Tensor images,
      @Nullable Tensor labels,
      @Nullable AugmentPipe augment,
      NoiseSource random);
}
