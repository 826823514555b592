// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;
import java.util.Locale;
import org.relaydiffusion.FileException;

/** Writes a data set: a folder, or an uncompressed zip. Entries arrive in order, on one thread. */
interface DatasetWriter {
  /** The content of a data set. */
  @FunctionalInterface
  interface Content {
    /**
     * Adds every entry.
     *
     * @param out receives them; must not be used afterwards
     */
    void addTo(Entries out);
  }

  /** Receives the entries of a data set. */
  @FunctionalInterface
  interface Entries {
    /**
     * Adds a file.
     *
     * @param name its path in the data set, with slashes
     * @param bytes its content
     * @throws FileException if it cannot be written
     */
    void add(String name, byte[] bytes);
  }

  /**
   * Writes a data set atomically.
   *
   * @throws FileException if it cannot be written; what was there before is unchanged
   */
  void write(Content content);

  /** Returns the writer for a target: a zip if the name ends with .zip, otherwise a folder. */
  static DatasetWriter to(DatasetTarget target) {
    return isZip(target.path())
        ? new ZipDatasetWriter(target.path())
        : new FolderDatasetWriter(target);
  }

  /** Returns whether a data set with this name is a zip. */
  static boolean isZip(Path target) {
    return target.toString().toLowerCase(Locale.ROOT).endsWith(".zip");
  }
}
