package org.relaydiffusion.launch.command;

import java.io.FileDescriptor;
import java.io.PrintWriter;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.Printable;
import org.relaydiffusion.nativeconfig.TerminalWidth;

/**
 * What a command talks to.
 *
 * @param out results; nothing else
 * @param err progress, warnings and errors
 * @param live whether {@code err} is a terminal, where a line can be written over
 * @param environment the environment variables
 */
public record Console(
    PrintWriter out, PrintWriter err, boolean live, Map<String, String> environment) {
  /** The system property with which the launcher script says that standard error is a terminal. */
  private static final String TERMINAL_PROPERTY = "rdm.terminal";

  private static final String COLUMNS_VARIABLE = "COLUMNS";

  /** The process's own streams. */
  public static Console system() {
    return new Console(
        StandardWriter.of(FileDescriptor.out, System.out.charset()),
        StandardWriter.of(FileDescriptor.err, System.err.charset()),
        isTerminal() && !"dumb".equals(System.getenv("TERM")),
        System.getenv());
  }

  @SuppressWarnings("SystemConsoleNull") // It is null with -Djdk.console=java.base.
  private static boolean isTerminal() {
    // Java can only tell that input and output both are a terminal; the script asks about stderr.
    String told = System.getProperty(TERMINAL_PROPERTY);
    if (told != null) {
      return Boolean.parseBoolean(told);
    }
    java.io.Console console = System.console();
    return console != null && console.isTerminal();
  }

  /** Prints one line of a result on standard output, whatever it quotes. */
  public void print(String line) {
    out.println(Printable.line(line));
  }

  /** Prints a result as one JSON object on standard output, see {@link Json}. */
  public void json(Object value) {
    out.println(Json.write(value));
  }

  /** Prints one line of progress, a warning or an error on standard error, whatever it quotes. */
  public void say(String line) {
    err.println(Printable.line(line));
  }

  /**
   * How many columns a line that is written over can have: as {@code COLUMNS} says, or else the
   * terminal. Without a bound where neither is known, as in a rank whose launcher shows the line.
   */
  public int columns() {
    String given = environment.getOrDefault(COLUMNS_VARIABLE, "");
    return given.matches("[1-9][0-9]{0,4}")
        ? Integer.parseInt(given)
        : TerminalWidth.ofStandardError().orElse(Integer.MAX_VALUE);
  }

  /**
   * Flushes standard output, and says why results could not be written. Empty when they were, and
   * when the reader has closed its end of a pipe: it has what it wanted.
   */
  public Optional<String> failure() {
    return out instanceof StandardWriter standard
        ? standard.failure()
        : out.checkError() ? Optional.of("unknown reason") : Optional.empty();
  }
}
