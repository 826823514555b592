package org.relaydiffusion.diffusion.data.convert;

import java.util.Optional;
import org.relaydiffusion.diffusion.image.Pixels;

/** How a source's picture becomes one of the data set. Called by several threads at once. */
@FunctionalInterface
public interface PictureTransform {
  /**
   * The picture to store.
   *
   * @param picture as the source has it; not changed
   * @return empty for a picture that is left out of the data set
   */
  Optional<Pixels> apply(Pixels picture);
}
