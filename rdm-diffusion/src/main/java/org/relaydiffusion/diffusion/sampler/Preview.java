// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.torch.Tensor;

/** The network's last prediction of the images, as of a step. */
@FunctionalInterface
public interface Preview {
  /**
   * Returns the denoised images: float64 [N, C, H, W], in the range of -1 to 1 but for
   * overshooting; an alias in the current scope. Valid during the call of the listener.
   */
  Tensor denoised();
}
