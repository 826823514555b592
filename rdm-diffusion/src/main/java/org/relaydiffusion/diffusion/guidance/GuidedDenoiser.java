// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.guidance;

import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Tensor;

/**
 * A network with its labels and guidance: what a solver steps along. It belongs to one batch.
 *
 * @see Guidance
 */
public interface GuidedDenoiser {
  /**
   * Computes the denoised images.
   *
   * @param x float64 [N, C, H, W]
   * @param sigma the noise level of all images
   * @return float64 [N, C, H, W], owned by the current scope
   */
  Tensor denoise(Tensor x, double sigma);

  /** Returns the network, which knows the range of noise levels. */
  Denoiser network();

  /** Returns the same network and labels without guidance. */
  GuidedDenoiser unguided();
}
