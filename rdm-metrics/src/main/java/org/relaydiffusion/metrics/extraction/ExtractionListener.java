// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

/**
 * Receives the progress of an extraction. All calls are made by the extracting thread; an exception
 * ends the extraction.
 */
public interface ExtractionListener {
  /** Ignores the progress. */
  ExtractionListener NONE = new ExtractionListener() {};

  /**
   * Called at the start and after each batch.
   *
   * @param done number of images that this process has extracted, 0 at first
   * @param total number of images that it has to extract: its share, without existing parts
   */
  default void extracted(long done, long total) {}

  /**
   * Called when a part has been written: {@code images} of the extracted images need not be
   * extracted again.
   */
  default void saved(long images) {}

  /**
   * Called several times per second while the first process waits for the others.
   *
   * @param parts number of existing parts
   * @param total total number of parts
   */
  default void waiting(long parts, long total) {}

  /**
   * Called while parts are joined.
   *
   * @param done finished work, in arbitrary units
   * @param total total work, in the same units
   */
  default void joined(long done, long total) {}
}
