package org.relaydiffusion.diffusion;

import org.relaydiffusion.diffusion.image.Pixels;

/** Where {@link Stages#SECOND} gets the pictures that it starts from. */
@FunctionalInterface
public interface FirstStageImages {
  /**
   * The picture of one seed: square, with the second network's channels, and a side that divides
   * its resolution. Called on the thread that samples, once a seed.
   *
   * @throws org.relaydiffusion.RdmException when there is none
   */
  Pixels image(long seed);
}
