package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import org.relaydiffusion.FileException;

/**
 * What the names of one file's tensors and modules may take together. A small file can give a
 * module with a long name many places, and each place has a name of its own. Real networks stay a
 * hundred times below.
 */
final class NameBudget {
  private static final long MOST_CHARACTERS = 8_000_000;

  /** A size in a list of sizes is about as large as so many characters. */
  private static final long AXIS = 8;

  private final Path file;
  private long left = MOST_CHARACTERS;

  NameBudget(Path file) {
    this.file = file;
  }

  /**
   * Counts a name.
   *
   * @return the same
   * @throws FileException when the names take too much
   */
  String name(String name) {
    take(name.length());
    return name;
  }

  /** Counts a tensor's name and sizes. */
  void tensor(String name, int axes) {
    take(name.length() + AXIS * axes);
  }

  private void take(long characters) {
    left -= characters;
    if (left < 0) {
      throw new FileException(
          file,
          "has names and sizes of tensors that take more than %s characters"
              .formatted(MOST_CHARACTERS));
    }
  }
}
