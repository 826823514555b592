// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.relaydiffusion.nativeconfig.NativeExit;

/**
 * Ends a rank whose launcher has ended. The launcher holds the other end of its ranks' standard
 * input and never writes to it. When it ends, for whatever reason, the operating system closes that
 * end, and each rank reads the end of the stream.
 */
public final class LauncherWatch {
  /** Set for ranks by the launcher: the number of seconds they have to stop after it has ended. */
  static final String VARIABLE = "RDM_LAUNCHER_WATCH";

  private static final long DEFAULT_SECONDS = 300;

  private LauncherWatch() {}

  /**
   * Starts watching in the background if this process was started by a launcher; otherwise does
   * nothing.
   *
   * @param environment the variables of this process
   * @param input its standard input
   */
  public static void start(Map<String, String> environment, InputStream input) {
    String seconds = environment.get(VARIABLE);
    if (seconds == null) {
      return;
    }
    long patience = seconds.matches("\\d{1,9}") ? Long.parseLong(seconds) : DEFAULT_SECONDS;
    Thread.ofPlatform().daemon().name("rdm-launcher-watch").start(() -> watch(input, patience));
  }

  private static void watch(InputStream input, long patience) {
    try {
      while (input.read() >= 0) {
        // No data is expected.
      }
    } catch (IOException e) {
      // Treat an error as the end.
    }
    System.err.println("rdm: the launcher has ended: stopping this rank");
    // As on a stop request: a rank that waits ends immediately, one that trains finishes the step
    // and saves.
    Thread.ofPlatform().daemon().name("rdm-launcher-gone").start(StopSignals::raiseTerm);
    try {
      Thread.sleep(patience * 1000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    System.out.flush();
    System.err.flush();
    NativeExit.now(StopSignals.TERM_EXIT_CODE);
  }
}
