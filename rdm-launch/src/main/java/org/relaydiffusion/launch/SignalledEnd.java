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
 * Ends this process when a signal asks for it: the command is told and has the time that it has
 * promised to need; then the process ends, wherever the command is.
 */
final class SignalledEnd {
  private static final String INTERRUPT = "SIGINT";

  /** A reader that has not taken the last line by then may never do so. */
  private static final Duration LAST_WORDS = Duration.ofMillis(500);

  private final StopSignal stop = new StopSignal();
  private final CompletableFuture<Integer> result = new CompletableFuture<>();
  private volatile @Nullable Received received;

  /** Takes the signals, for the rest of the process's life. */
  static SignalledEnd install() {
    SignalledEnd end = new SignalledEnd();
    StopSignals _ = StopSignals.take(end::first, end::again);
    return end;
  }

  /** What the command listens to. */
  StopSignal stop() {
    return stop;
  }

  /** The first signal, on a thread of its own. */
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
              ? "rdm: stopped in the middle of a step; finished files are whole\n"
              : "");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      // It is only ever completed with a number.
      throw new IllegalStateException(e);
    }
  }

  /**
   * A further one. A person who presses Ctrl-C again wants the end now; a scheduler may repeat its
   * SIGTERM while the state is being saved.
   */
  private void again(Received signal) {
    if (signal.name().equals(INTERRUPT)) {
      endNow(signal.exitCode(), "rdm: ended at once, without saving\n");
    }
  }

  /**
   * Ends the process, whether anybody reads what it prints or not, and whether the file system
   * answers or not.
   */
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

  /** Ends the process, whose command has answered {@code code}. */
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
      // What it waited for may still be tried by a native thread.
      endNow(answer, "");
    }
    System.exit(answer);
  }
}
