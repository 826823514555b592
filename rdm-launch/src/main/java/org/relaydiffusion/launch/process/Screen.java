package org.relaydiffusion.launch.process;

import java.io.PrintWriter;
import org.relaydiffusion.launch.command.Console;

/**
 * The launcher's terminal or log, which all ranks share: whole lines, and below them on a terminal
 * the status line of one rank. Threads may share it.
 */
final class Screen {
  private static final String CLEAR_LINE = "\r\033[K";

  private final Console console;
  private String status = "";

  Screen(Console console) {
    this.console = console;
  }

  /** Whether a status line can be shown. */
  boolean isLive() {
    return console.live();
  }

  /** A line for standard output. */
  synchronized void out(String line) {
    print(console.out(), line);
  }

  /** A line for standard error. */
  synchronized void err(String line) {
    print(console.err(), line);
  }

  /** What the launcher itself has to say. */
  void say(String line) {
    err("rdm launch: " + line);
  }

  /** Writes over the status line; an empty text takes it away. */
  synchronized void status(String text) {
    if (isLive() && !text.equals(status)) {
      status = text;
      console.err().print(CLEAR_LINE + text);
      console.err().flush();
    }
  }

  private void print(PrintWriter to, String line) {
    if (!status.isEmpty()) {
      console.err().print(CLEAR_LINE);
      console.err().flush();
    }
    to.println(line);
    to.flush();
    if (!status.isEmpty()) {
      console.err().print(status);
      console.err().flush();
    }
  }
}
