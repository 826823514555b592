// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;

/** Reads environment variables that contain file or folder names. */
public final class PathVariable {
  private PathVariable() {}

  /**
   * Returns the path in a variable; empty if it is not set or empty.
   *
   * @param environment the variables, as {@link System#getenv()}
   * @throws OptionException if its text is not a valid file name in this locale
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
          "%s=%s is not a valid file name in this locale: %s"
              .formatted(name, Printable.of(text), e.getReason()));
    }
  }
}
