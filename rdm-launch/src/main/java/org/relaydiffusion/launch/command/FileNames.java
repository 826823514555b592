// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * File names that are not valid in this locale. Java decodes names in the encoding of the locale:
 * characters outside it are rejected, and bytes that are invalid in it become U+FFFD, so that the
 * file cannot be found.
 */
public final class FileNames {
  private static final String REPLACEMENT = "\uFFFD";

  private FileNames() {}

  /**
   * Returns the path named by {@code text}.
   *
   * @throws OptionException if it is not a valid file name in this locale
   */
  public static Path path(String text) {
    Path path;
    try {
      path = Path.of(text);
    } catch (InvalidPathException e) {
      throw new OptionException(reason(e));
    }
    if (text.contains(REPLACEMENT) && Files.notExists(path)) {
      throw new OptionException("'%s' %s".formatted(text, hint()));
    }
    return path;
  }

  /** Returns a one-line message for a name that Java rejected. */
  public static String reason(InvalidPathException e) {
    // Any other reason, such as a NUL, applies in every locale.
    return e.getReason().contains("unmappable")
        ? "'%s' %s".formatted(e.getInput(), hint())
        : "'%s' is not a valid file name: %s".formatted(e.getInput(), e.getReason());
  }

  /** Returns a hint to append to a message that names a file, if its name could not be decoded. */
  public static Optional<String> hint(String message) {
    return message.contains(REPLACEMENT) ? Optional.of("a name in it " + hint()) : Optional.empty();
  }

  private static String hint() {
    return "is not valid in this locale, which encodes file names in %s: rename it, or set LC_ALL"
        .formatted(System.getProperty("sun.jnu.encoding"));
  }
}
