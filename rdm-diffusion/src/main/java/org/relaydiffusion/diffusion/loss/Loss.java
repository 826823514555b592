// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.model.OfficialPreconditioner;
import org.relaydiffusion.torch.Tensor;

/**
 * A training loss: the weighted squared error {@code w(sigma) (D(y + n; sigma) - y)^2} of every
 * pixel, for noise levels drawn by the loss (EDM, arXiv 2206.00364, eq. 8 and table 1), or any
 * other function of a network and a batch.
 *
 * <p>A loss is immutable, and equal losses compute the same. {@link LossCatalog} knows the
 * reference's four by name, and those that a {@link java.util.ServiceLoader} finds;
 * docs/architecture.md shows how one is added. {@link Denoising} has the common steps.
 */
public interface Loss {
  /**
   * Returns the name by which {@code rdm train --precond} asks for it, such as {@code edm}. It is
   * also part of the name of a run's folder, so it consists of letters, digits, dots, underscores
   * and hyphens.
   */
  String name();

  /** Returns the class of the preconditioner that {@code --precond} trains with it. */
  default String preconditioner() {
    return OfficialPreconditioner.EDM.className();
  }

  /** Returns the class name by which {@code training_options.json} records it. */
  default String className() {
    return getClass().getName();
  }

  /**
   * Returns its arguments by name, which {@code training_options.json} and states record: strings,
   * numbers, booleans, lists and maps. A run that resumes with others reports the difference.
   */
  default Map<String, @Nullable Object> kwargs() {
    return Map.of();
  }

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
