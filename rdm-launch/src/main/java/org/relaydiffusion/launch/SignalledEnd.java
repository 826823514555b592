// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.command.StopSignal.Ending;
import org.relaydiffusion.launch.process.StopSignals;
import org.relaydiffusion.launch.process.StopSignals.Received;
import org.relaydiffusion.nativeconfig.NativeExit;

/**
 * Ends this process on a signal: notifies the command, waits for the time that the command has
 * declared to need, and then ends the process in any case.
 */
final class SignalledEnd {
  private static final String INTERRUPT = "SIGINT";

  /**
   * The timeout for writing the last line; a reader that has not read it by then may never do so.
   */
  private static final Duration LAST_WORDS = Duration.ofMillis(500);

  private final StopSignal stop = new StopSignal();
  private final CompletableFuture<Integer> result = new CompletableFuture<>();
  private volatile @Nullable Received received;

  /** Installs the signal handlers for the rest of the life of the process. */
  static SignalledEnd install() {
    SignalledEnd end = new SignalledEnd();
    StopSignals _ = StopSignals.take(end::first, end::again);
    return end;
  }

  /** Returns the signal that the command listens to. */
  StopSignal stop() {
    return stop;
  }

  /** Handles the first signal, on a separate thread. */
  private void first(Received signal) {
    if (result.isDone()) {
      return;
    }
    received = signal;
    Optional<Ending> how = stop.request();
    Optional<Duration> patience = how.map(Ending::patience).orElse(Optional.of(Duration.ZERO));
    try {
      if (patience.isPresent()) {
        result.get(patience.get().toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (TimeoutException _) {
      endNow(
          signal.exitCode(),
          how.equals(Optional.of(Ending.SOON))
              ? "rdm: stopped in the middle of a step; finished files are complete\n"
              : "");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      // It is only ever completed normally.
      throw new IllegalStateException(e);
    }
  }

  /**
   * Handles further signals. A second Ctrl-C ends the process immediately, but a scheduler may
   * repeat its SIGTERM while the state is being saved.
   */
  private void again(Received signal) {
    if (signal.name().equals(INTERRUPT)) {
      endNow(signal.exitCode(), "rdm: ended immediately, without saving\n");
    }
  }

  /** Ends the process even if nobody reads its output and the file system does not respond. */
  private static void endNow(int code, String lastWords) {
    Thread printing =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              AtomicFile.abandonUnfinished();
              System.err.print(lastWords);
              System.err.flush();
              System.out.flush();
            });
    try {
      printing.join(LAST_WORDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    NativeExit.now(code);
  }

  /** Ends the process after its command has returned {@code code}. */
  void exit(int code) {
    result.complete(code);
    Received signal = received;
    if (signal == null) {
      System.exit(code);
      return;
    }
    Optional<Ending> how = stop.request();
    boolean ownCode =
        how.equals(Optional.of(Ending.IN_ITS_OWN_TIME)) && code != ExitCode.INTERRUPTED;
    int answer = ownCode ? code : signal.exitCode();
    if (how.equals(Optional.of(Ending.AT_ONCE))) {
      // A native thread may still be attempting what it waited for.
      endNow(answer, "");
    }
    System.exit(answer);
  }
}
