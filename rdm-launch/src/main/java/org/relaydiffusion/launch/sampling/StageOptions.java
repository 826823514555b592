// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.command.Converters;

/** Common parts of the options of both stages. */
final class StageOptions {
  private static final Pattern NAMES_OPTION = Pattern.compile("(\\w+) must (.*)");

  private StageOptions() {}

  /**
   * Builds the options of a stage; an error about one of them names it as typed.
   *
   * @param suffix of the stage's options, {@code _first} or {@code _second}
   */
  static <T> T checked(String suffix, Supplier<T> options) {
    try {
      return options.get();
    } catch (OptionException e) {
      String message = String.valueOf(e.getMessage());
      Matcher matcher = NAMES_OPTION.matcher(message);
      if (!matcher.matches()) {
        throw e;
      }
      String name = matcher.group(1).equals("prob_length") ? "truncation_t" : matcher.group(1);
      throw new OptionException("--%s%s must %s".formatted(name, suffix, matcher.group(2)));
    }
  }

  /** Rejects 0, with which the last step would divide by zero. */
  static void requirePositive(String name, double value) {
    if (!(value > 0)) {
      throw new OptionException(
          "%s must be above 0, but is %s".formatted(name, Converters.text(value)));
    }
  }

  static void requireAtLeast(String name, int least, int value) {
    if (value < least) {
      throw new OptionException("%s must be at least %s, but is %s".formatted(name, least, value));
    }
  }
}
