// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.io.FileDescriptor;
import java.io.PrintWriter;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.Printable;
import org.relaydiffusion.nativeconfig.TerminalWidth;

/**
 * The streams and environment of a command.
 *
 * @param out receives results only
 * @param err receives progress, warnings and errors
 * @param live whether {@code err} is a terminal, on which a status line can be redrawn
 * @param environment the environment variables
 */
public record Console(
    PrintWriter out, PrintWriter err, boolean live, Map<String, String> environment) {
  /** The system property by which the launcher script states that standard error is a terminal. */
  private static final String TERMINAL_PROPERTY = "rdm.terminal";

  private static final String COLUMNS_VARIABLE = "COLUMNS";

  /** Returns the console of this process. */
  public static Console system() {
    return new Console(
        StandardWriter.of(FileDescriptor.out, System.out.charset()),
        StandardWriter.of(FileDescriptor.err, System.err.charset()),
        isTerminal() && !"dumb".equals(System.getenv("TERM")),
        System.getenv());
  }

  @SuppressWarnings("SystemConsoleNull") // It is null with -Djdk.console=java.base.
  private static boolean isTerminal() {
    // Java can only determine whether both input and output are a terminal; the script tests
    // stderr.
    String told = System.getProperty(TERMINAL_PROPERTY);
    if (told != null) {
      return Boolean.parseBoolean(told);
    }
    java.io.Console console = System.console();
    return console != null && console.isTerminal();
  }

  /** Prints one line of a result on standard output; its text is sanitized. */
  public void print(String line) {
    out.println(Printable.line(line));
  }

  /** Prints a result as one JSON object on standard output, see {@link Json}. */
  public void json(Object value) {
    out.println(Json.write(value));
  }

  /**
   * Prints one line of progress, a warning or an error on standard error; its text is sanitized.
   */
  public void say(String line) {
    err.println(Printable.line(line));
  }

  /**
   * Returns the maximum number of columns of a status line: {@code COLUMNS} if set, otherwise the
   * width of the terminal. Unlimited if neither is known, as in a rank whose launcher displays the
   * line.
   */
  public int columns() {
    String given = environment.getOrDefault(COLUMNS_VARIABLE, "");
    return given.matches("[1-9][0-9]{0,4}")
        ? Integer.parseInt(given)
        : TerminalWidth.ofStandardError().orElse(Integer.MAX_VALUE);
  }

  /**
   * Flushes standard output and returns the reason why results could not be written. Empty if all
   * were written, or if the reader has closed its end of a pipe.
   */
  public Optional<String> failure() {
    return out instanceof StandardWriter standard
        ? standard.failure()
        : out.checkError() ? Optional.of("unknown reason") : Optional.empty();
  }
}
