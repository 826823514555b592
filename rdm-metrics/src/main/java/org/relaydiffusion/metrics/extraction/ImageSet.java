// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.nio.file.Path;
import java.util.Iterator;
import org.relaydiffusion.metrics.SampleArray;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;

/** The images whose features are extracted, in their order. {@link #close()} closes the file. */
sealed interface ImageSet extends AutoCloseable permits DatasetImages, SampleImages {
  /**
   * Opens a set of images: an .npz by its name, any other file or folder as a data set.
   *
   * @param options select the images
   * @throws org.relaydiffusion.FileException if it cannot be read, or contains no images
   */
  static ImageSet open(ExtractionOptions options) {
    return SampleArray.isNameOfOne(options.data())
        ? SampleImages.open(options)
        : DatasetImages.open(options);
  }

  /** Returns the number of selected images, at least 1. */
  int size();

  /** Returns the total number of images. */
  int all();

  /** Returns a fingerprint that changes with any selected image: 64 hexadecimal digits. */
  String fingerprint();

  /** Returns the name of image {@code index} in messages. */
  Path file(int index);

  /**
   * Starts reading.
   *
   * @param batches the images of each batch, at least 1, ascending throughout; owned by the reading
   *     from now on
   * @param workers number of threads that decode images; with 0, the calling thread decodes
   * @param device of the batches
   */
  Reading read(Iterator<int[]> batches, int workers, Device device);

  /** Reads batches in order; must be closed before the set. */
  interface Reading extends AutoCloseable {
    /**
     * Returns the next batch; its tensor belongs to the innermost scope, or to the caller.
     *
     * @throws org.relaydiffusion.FileException naming an image that cannot be read
     */
    Batch next();

    @Override
    void close();
  }

  /**
   * A batch of images.
   *
   * @param images uint8 [N, C, H, W]
   * @param indices of the images
   */
  record Batch(Tensor images, int[] indices) {}

  @Override
  void close();
}
