package org.relaydiffusion.launch.process;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.relaydiffusion.nativeconfig.NativeExit;

/**
 * Ends a rank whose launcher is gone. The launcher holds the other end of its ranks' standard input
 * and never writes: when it ends, in whatever way, the system closes that end, and each rank reads
 * the end of the stream.
 */
public final class LauncherWatch {
  /** Set for ranks by the launcher: how many seconds they have to stop once it is gone. */
  static final String VARIABLE = "RDM_LAUNCHER_WATCH";

  private static final long DEFAULT_SECONDS = 300;

  private LauncherWatch() {}

  /**
   * Watches in the background, if a launcher has started this process; does nothing otherwise.
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
        // Nothing is meant to come.
      }
    } catch (IOException e) {
      // As good as its end.
    }
    System.err.println("rdm: the launcher is gone, so this rank stops");
    // As if somebody had asked this process to stop: a rank that waits ends at once, one that
    // trains finishes the step and saves.
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
