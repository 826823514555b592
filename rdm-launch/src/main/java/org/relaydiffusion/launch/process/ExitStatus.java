// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.util.Map;
import org.relaydiffusion.launch.command.ExitCode;

/**
 * The exit status of a process.
 *
 * @param code the exit code; 128 plus the signal number if it was ended by a signal
 */
public record ExitStatus(int code) {
  private static final int SIGNAL_BASE = 128;

  private static final Map<Integer, String> SIGNALS =
      Map.ofEntries(
          Map.entry(1, "SIGHUP"),
          Map.entry(2, "SIGINT"),
          Map.entry(3, "SIGQUIT"),
          Map.entry(4, "SIGILL"),
          Map.entry(6, "SIGABRT"),
          Map.entry(7, "SIGBUS"),
          Map.entry(8, "SIGFPE"),
          Map.entry(9, "SIGKILL"),
          Map.entry(11, "SIGSEGV"),
          Map.entry(13, "SIGPIPE"),
          Map.entry(15, "SIGTERM"),
          Map.entry(24, "SIGXCPU"));

  /** Returns whether the process succeeded. */
  boolean isSuccess() {
    return code == 0;
  }

  /** Returns whether the process ended because it lost another process of the run. */
  boolean isPeerLost() {
    return code == ExitCode.PEER_LOST;
  }

  /** Returns whether the process was stopped by SIGHUP, SIGINT or SIGTERM. */
  boolean isStopped() {
    int signal = code - SIGNAL_BASE;
    return signal == 1 || signal == 2 || signal == 15;
  }

  /** Returns the text that follows the name of the rank: {@code ended with exit code 3}. */
  public String text() {
    if (isPeerLost()) {
      return "lost another rank (exit code %s)".formatted(code);
    }
    String signal = SIGNALS.get(code - SIGNAL_BASE);
    return signal == null
        ? "ended with exit code " + code
        : "was killed by %s (exit code %s)".formatted(signal, code);
  }
}
