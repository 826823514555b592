package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;
import java.util.Locale;
import org.relaydiffusion.FileException;

/**
 * Where a data set goes: a folder, or an uncompressed zip. Entries arrive in order, on one thread.
 */
interface DatasetWriter {
  /** What fills a data set. */
  @FunctionalInterface
  interface Content {
    /**
     * Adds every entry.
     *
     * @param out takes them; not to be used afterwards
     */
    void addTo(Entries out);
  }

  /** Takes the entries of a data set. */
  @FunctionalInterface
  interface Entries {
    /**
     * Adds a file.
     *
     * @param name its path in the data set, with slashes
     * @param bytes its content
     * @throws FileException when it cannot be written
     */
    void add(String name, byte[] bytes);
  }

  /**
   * Writes a data set, which appears when it is whole.
   *
   * @throws FileException when it cannot be written; what was there before is there still
   */
  void write(Content content);

  /** The writer for a target: a zip when the name ends with .zip, else a folder. */
  static DatasetWriter to(DatasetTarget target) {
    return isZip(target.path())
        ? new ZipDatasetWriter(target.path())
        : new FolderDatasetWriter(target);
  }

  /** Whether a data set of this name is a zip. */
  static boolean isZip(Path target) {
    return target.toString().toLowerCase(Locale.ROOT).endsWith(".zip");
  }
}
