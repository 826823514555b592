package org.relaydiffusion.launch.command;

import java.util.Map;
import org.relaydiffusion.OptionException;

/**
 * What a run answers that was asked to stop before its end, and has saved where it was. To a person
 * that is a success, and the answer 0; but a scheduler that starts stopped runs again must tell it
 * from the end of the run, and says with {@value #VARIABLE} what it wants to hear.
 */
public final class StopExitCode {
  /** The environment variable. */
  public static final String VARIABLE = "RDM_STOP_EXIT_CODE";

  private static final int HIGHEST = 255;

  private StopExitCode() {}

  /**
   * The exit code: 0 where nobody says.
   *
   * @param environment the variables, as {@link System#getenv()}
   * @throws OptionException when the variable is no exit code
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
