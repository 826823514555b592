package org.relaydiffusion.launch.command;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/** The level of the log, which goes to standard error. */
final class LogLevel {
  /** Ours alone: other libraries stay at their warnings. */
  private static final String ROOT_PACKAGE = "org.relaydiffusion";

  private LogLevel() {}

  /** Warnings only, or also what is done and how long it took. */
  static void set(boolean verbose) {
    // Logback starts with the first logger; a quiet run need not wait for it here.
    if (verbose && LoggerFactory.getLogger(ROOT_PACKAGE) instanceof Logger logger) {
      logger.setLevel(Level.DEBUG);
    }
  }
}
