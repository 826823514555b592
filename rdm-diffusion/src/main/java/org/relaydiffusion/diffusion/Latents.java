// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import org.relaydiffusion.torch.Tensor;

/** Provides the latents that the first stage starts from. */
@FunctionalInterface
public interface Latents {
  /** Uses the latents that are drawn from the seed of each image. */
  Latents DRAWN = (_, drawn) -> drawn;

  /**
   * Returns the latents of an image. Those of its seed have been drawn before, so that the noise of
   * later steps is the same whichever are used.
   *
   * @param seed the seed of the image
   * @param drawn its own latents: float32 [C, H, W], standard normal
   * @return latents of the same shape, in the current scope
   */
  Tensor latents(long seed, Tensor drawn);
}
