// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/** Sets the level of the log, which goes to standard error. */
final class LogLevel {
  /** This project's loggers only: other libraries remain at warnings. */
  private static final String ROOT_PACKAGE = "org.relaydiffusion";

  private LogLevel() {}

  /** Logs warnings only, or also progress and durations. */
  static void set(boolean verbose) {
    // Logback is initialized with the first logger; a quiet run need not wait for it.
    if (verbose && LoggerFactory.getLogger(ROOT_PACKAGE) instanceof Logger logger) {
      logger.setLevel(Level.DEBUG);
    }
  }
}
