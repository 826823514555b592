// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import org.relaydiffusion.diffusion.image.Pixels;

/** Provides the input images of {@link Stages#SECOND}. */
@FunctionalInterface
public interface FirstStageImages {
  /**
   * Returns the image of a seed: square, with the channels of the second network, and with a side
   * that divides its resolution. Called once per seed, on the sampling thread.
   *
   * @throws org.relaydiffusion.RdmException if there is none
   */
  Pixels image(long seed);
}
