// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.nio.file.Path;
import java.util.List;
import org.relaydiffusion.metrics.WorkListener;
import org.relaydiffusion.metrics.inception.InceptionFeatures;

/** The data stored for each chunk until all chunks are complete. */
sealed interface PartFormat permits RowParts, MomentParts {
  /** Returns the name in manifests. */
  String name();

  /** Returns the number of images per chunk, for {@code images} in total. */
  int chunkSize(int images);

  /** Begins a part. */
  Collector begin();

  /**
   * Writes the target from all parts, in order, without holding them in memory.
   *
   * @param file the target
   * @param parts all parts
   * @param chunks the images of each part
   * @param comment the provenance recorded in the file
   * @param listener receives the progress
   * @throws org.relaydiffusion.FileException if a part is damaged, or the file cannot be written
   */
  ExtractionResult.Written join(
      Path file, List<Path> parts, Chunks chunks, String comment, WorkListener listener);

  /** A part being built; owns tensors until it is closed. */
  interface Collector extends AutoCloseable {
    /**
     * Adds the features of the next images.
     *
     * @param features on the CPU; remain owned by the caller
     */
    void add(InceptionFeatures features);

    /** Writes the part atomically. */
    void write(Path part);

    @Override
    void close();
  }
}
