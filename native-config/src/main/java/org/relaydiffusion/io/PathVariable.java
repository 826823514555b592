package org.relaydiffusion.io;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;

/** Environment variables that name files or folders. */
public final class PathVariable {
  private PathVariable() {}

  /**
   * What a variable names; empty when it is not set, or empty.
   *
   * @param environment the variables, as {@link System#getenv()}
   * @throws OptionException when its text is no name of a file in this locale
   */
  public static Optional<Path> of(Map<String, String> environment, String name) {
    String text = environment.getOrDefault(name, "");
    if (text.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Path.of(text));
    } catch (InvalidPathException e) {
      throw new OptionException(
          "%s=%s is not the name of a file here: %s"
              .formatted(name, Printable.of(text), e.getReason()));
    }
  }
}
