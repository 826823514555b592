package org.relaydiffusion.launch.command;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * Names of files that cannot be written in this locale. Java reads names in the locale's encoding:
 * what is not in it is refused, and bytes that mean nothing in it become U+FFFD, under which no
 * file will be found.
 */
public final class FileNames {
  private static final String REPLACEMENT = "\uFFFD";

  private FileNames() {}

  /**
   * The path that {@code text} names.
   *
   * @throws OptionException when it is no name of a file in this locale
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

  /** One line for a name that Java refused. */
  public static String reason(InvalidPathException e) {
    // Anything but the encoding, such as a NUL, is the same in every locale.
    return e.getReason().contains("unmappable")
        ? "'%s' %s".formatted(e.getInput(), hint())
        : "'%s' is not the name of a file: %s".formatted(e.getInput(), e.getReason());
  }

  /** What to say after a message that names a file, if its name could not be read as it is. */
  public static Optional<String> hint(String message) {
    return message.contains(REPLACEMENT) ? Optional.of("a name in it " + hint()) : Optional.empty();
  }

  private static String hint() {
    return "is not valid in this locale, whose file names are in %s: rename it, or set LC_ALL"
        .formatted(System.getProperty("sun.jnu.encoding"));
  }
}
