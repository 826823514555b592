// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.OptionException;

/** Errors about the options of a stage, which name them as typed. */
final class StageErrors {
  private static final Pattern NAMES_OPTION = Pattern.compile("(\\w+) must (.*)");

  private StageErrors() {}

  /**
   * Builds the options of a stage; an error about one of them names it as typed.
   *
   * @param stage the name of the stage
   */
  static <T> T checked(String stage, Supplier<T> options) {
    try {
      return options.get();
    } catch (OptionException e) {
      String message = String.valueOf(e.getMessage());
      Matcher matcher = NAMES_OPTION.matcher(message);
      if (!matcher.matches()) {
        throw e;
      }
      String name = matcher.group(1).equals("prob_length") ? "truncation_t" : matcher.group(1);
      throw new OptionException("--%s_%s must %s".formatted(name, stage, matcher.group(2)));
    }
  }
}
