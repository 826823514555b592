// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import org.relaydiffusion.diffusion.image.Pixels;

/** Provides the images that a run of later stages alone starts from. */
@FunctionalInterface
public interface StartImages {
  /**
   * Returns the image of a seed: square, with the channels of the first network that runs, and with
   * a side that divides its resolution. Called once per seed, on the sampling thread.
   *
   * @throws org.relaydiffusion.RdmException if there is none
   */
  Pixels image(long seed);
}
