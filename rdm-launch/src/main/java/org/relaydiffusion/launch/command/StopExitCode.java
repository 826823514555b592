// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.util.Map;
import org.relaydiffusion.OptionException;

/**
 * The exit code of a run that was asked to stop before its end and has saved its state. By default
 * this is success, 0; a scheduler that restarts stopped runs must be able to distinguish this from
 * the end of the run, and sets {@value #VARIABLE} to the exit code to use.
 */
public final class StopExitCode {
  /** The environment variable. */
  public static final String VARIABLE = "RDM_STOP_EXIT_CODE";

  private static final int HIGHEST = 255;

  private StopExitCode() {}

  /**
   * Returns the exit code; 0 if the variable is not set.
   *
   * @param environment the variables, as {@link System#getenv()}
   * @throws OptionException if the variable is not an exit code
   */
  public static int of(Map<String, String> environment) {
    String text = environment.getOrDefault(VARIABLE, "").strip();
    if (text.isEmpty()) {
      return ExitCode.OK;
    }
    int code = text.matches("\\d{1,3}") ? Integer.parseInt(text) : HIGHEST + 1;
    if (code > HIGHEST) {
      throw new OptionException(
          "the environment variable %s must be an exit code from 0 to %s, but is '%s'"
              .formatted(VARIABLE, HIGHEST, text));
    }
    return code;
  }
}
