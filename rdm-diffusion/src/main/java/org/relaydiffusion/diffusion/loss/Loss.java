package org.relaydiffusion.diffusion.loss;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.torch.Tensor;

/**
 * What training makes small: the weighted squared error {@code w(sigma) (D(y + n; sigma) - y)^2} of
 * every pixel, for noise levels that the loss draws (EDM, arXiv 2206.00364, eq. 8 and table 1).
 */
public sealed interface Loss permits EdmLoss, VpLoss, VeLoss, BlurLoss {
  /**
   * The loss of a batch. It draws the noise levels, then the augmentation's values, then the noise,
   * and then calls the network once.
   *
   * @param net the network, which may draw in turn (dropout)
   * @param images float32 [N, C, H, W] in [-1, 1]
   * @param labels one-hot rows [N, labelDim], or none
   * @param augment augments the images first; none leaves them as they are, without augmentation
   *     labels
   * @param random where the draws come from
   * @return [N, C, H, W], float32 (float64 for {@link BlurLoss}), the current scope's; its sum goes
   *     back to the network's parameters
   */
  Tensor of(
      TrainedDenoiser net,
      Tensor images,
      @Nullable Tensor labels,
      @Nullable AugmentPipe augment,
      NoiseSource random);
}
