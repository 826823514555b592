package org.relaydiffusion.metrics.extraction;

import java.nio.file.Path;
import java.util.Iterator;
import org.relaydiffusion.metrics.SampleArray;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;

/** The pictures whose features are extracted, in their order. {@link #close()} closes the file. */
sealed interface ImageSet extends AutoCloseable permits DatasetImages, SampleImages {
  /**
   * Opens a set of pictures: an .npz by its name, any other file or folder as a data set.
   *
   * @param options which pictures, and how many of them
   * @throws org.relaydiffusion.FileException when it cannot be read, or holds no pictures
   */
  static ImageSet open(ExtractionOptions options) {
    return SampleArray.isNameOfOne(options.data())
        ? SampleImages.open(options)
        : DatasetImages.open(options);
  }

  /** How many pictures are taken, at least 1. */
  int size();

  /** How many there are. */
  int all();

  /** What changes when a picture does that is taken: 64 hexadecimal digits. */
  String fingerprint();

  /** What messages call picture number {@code index}. */
  Path file(int index);

  /**
   * Begins to read.
   *
   * @param batches the pictures of each batch, 1 or more, ascending throughout; it belongs to the
   *     reading from now on
   * @param workers how many threads decode pictures; 0 leaves it to the calling one
   * @param device where the batches are wanted
   */
  Reading read(Iterator<int[]> batches, int workers, Device device);

  /** Batches in order; {@link #close()} before the set. */
  interface Reading extends AutoCloseable {
    /**
     * The next batch; its tensor belongs to the innermost scope, or to the caller.
     *
     * @throws org.relaydiffusion.FileException naming a picture that cannot be read
     */
    Batch next();

    @Override
    void close();
  }

  /**
   * Some pictures.
   *
   * @param images uint8 [N, C, H, W]
   * @param indices which they are
   */
  record Batch(Tensor images, int[] indices) {}

  @Override
  void close();
}
