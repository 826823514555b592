// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.util.Optional;
import org.relaydiffusion.diffusion.image.Pixels;

/** The transform of a source image into one of the data set. Must be thread-safe. */
@FunctionalInterface
public interface PictureTransform {
  /**
   * Returns the image to store.
   *
   * @param picture the source image; must not be modified
   * @return empty for an image that is not part of the data set
   */
  Optional<Pixels> apply(Pixels picture);
}
