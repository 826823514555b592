package org.relaydiffusion.launch.command;

import java.io.PrintWriter;
import java.util.Map;

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

  /** The process's own streams. */
  public static Console system() {
    return new Console(
        new PrintWriter(System.out, true),
        new PrintWriter(System.err, true),
        isTerminal() && !"dumb".equals(System.getenv("TERM")),
        System.getenv());
  }

  private static boolean isTerminal() {
    // Java can only tell that input and output both are a terminal; the script asks about stderr.
    String told = System.getProperty(TERMINAL_PROPERTY);
    if (told != null) {
      return Boolean.parseBoolean(told);
    }
    java.io.Console console = System.console();
    return console != null && console.isTerminal();
  }
}
