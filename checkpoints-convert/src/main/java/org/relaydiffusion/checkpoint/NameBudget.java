// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import org.relaydiffusion.FileException;

/**
 * Bounds the names of all tensors and modules of one file. A small file can refer to a module with
 * a long name from many places, each of which has a name of its own. Real networks are a hundred
 * times below the limit.
 */
final class NameBudget {
  private static final long MOST_CHARACTERS = 8_000_000;

  /** The size of a dimension in characters, since shapes are also counted. */
  private static final long AXIS = 8;

  private final Path file;
  private long left = MOST_CHARACTERS;

  NameBudget(Path file) {
    this.file = file;
  }

  /**
   * Counts a name.
   *
   * @return the same name
   * @throws FileException if the names exceed the limit
   */
  String name(String name) {
    take(name.length());
    return name;
  }

  /** Counts the name and shape of a tensor. */
  void tensor(String name, int axes) {
    take(name.length() + AXIS * axes);
  }

  private void take(long characters) {
    left -= characters;
    if (left < 0) {
      throw new FileException(
          file,
          "has tensor names and shapes with more than %s characters".formatted(MOST_CHARACTERS));
    }
  }
}
