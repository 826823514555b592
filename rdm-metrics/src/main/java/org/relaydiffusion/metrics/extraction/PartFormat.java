package org.relaydiffusion.metrics.extraction;

import java.nio.file.Path;
import java.util.List;
import org.relaydiffusion.metrics.WorkListener;
import org.relaydiffusion.metrics.inception.InceptionFeatures;

/** What is kept of a chunk's features until all are there. */
sealed interface PartFormat permits RowParts, MomentParts {
  /** What manifests call it. */
  String name();

  /** How many images a chunk has, of {@code images} in all. */
  int chunkSize(int images);

  /** Begins a part. */
  Collector begin();

  /**
   * Writes the target from all parts, in order. It does not hold them in memory.
   *
   * @param file where to
   * @param parts all parts
   * @param chunks what each is of
   * @param comment what the file says of where it is from
   * @param listener hears of parts
   * @throws org.relaydiffusion.FileException when one is damaged, or the file cannot be written
   */
  ExtractionResult.Written join(
      Path file, List<Path> parts, Chunks chunks, String comment, WorkListener listener);

  /** A part in the making; holds tensors until it is closed. */
  interface Collector extends AutoCloseable {
    /**
     * Adds the next images' features.
     *
     * @param features on the CPU; they stay the caller's
     */
    void add(InceptionFeatures features);

    /** Writes the part, whole or not at all. */
    void write(Path part);

    @Override
    void close();
  }
}
