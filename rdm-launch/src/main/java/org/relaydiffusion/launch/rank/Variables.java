// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.rank;

import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/** Reads environment variables; a blank one counts as not set. */
final class Variables {
  private Variables() {}

  static boolean isSet(Map<String, String> environment, String name) {
    return !environment.getOrDefault(name, "").isBlank();
  }

  /** Returns the first of several variables that is set. */
  static Optional<String> text(Map<String, String> environment, String... names) {
    for (String name : names) {
      if (isSet(environment, name)) {
        return Optional.of(environment.getOrDefault(name, "").strip());
      }
    }
    return Optional.empty();
  }

  /**
   * Returns a number of at least 0.
   *
   * @throws OptionException if the variable is not one
   */
  static int number(Map<String, String> environment, String name) {
    String text = environment.getOrDefault(name, "").strip();
    if (!text.matches("\\d{1,9}")) {
      throw new OptionException(
          "the environment variable %s must be a number of at least 0, but is '%s'"
              .formatted(name, text));
    }
    return Integer.parseInt(text);
  }

  /** Returns the number, or {@code otherwise} if the variable is not set. */
  static int number(Map<String, String> environment, String name, int otherwise) {
    return isSet(environment, name) ? number(environment, name) : otherwise;
  }
}
