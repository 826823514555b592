// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.data.LeftOut;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * Images in a fixed order, each with or without a label. All methods except {@link #close} may be
 * called by several threads concurrently. The caller that opens a source closes it.
 */
public interface ImageSource extends AutoCloseable {
  /** Returns the number of images, at least 1. */
  int size();

  /**
   * Reads and decodes an image; nothing is cached.
   *
   * @param index from 0 to {@code size() - 1}
   * @throws FileException naming the image, if it is damaged or of an unsupported kind
   */
  Pixels read(int index);

  /** Returns the labels of the images. */
  ItemLabels labels();

  /** Returns what was not taken for an image. */
  default LeftOut leftOut() {
    return LeftOut.NONE;
  }

  /**
   * Returns the name of an image in messages: its path, or its name in the archive.
   *
   * @param index from 0 to {@code size() - 1}
   */
  String name(int index);

  /** Closes the files; the source must not be used afterwards. */
  @Override
  void close();
}
