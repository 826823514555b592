// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Handles the signals that ask a process to stop (SIGTERM, SIGINT, SIGHUP) instead of the JVM,
 * which would shut down on the first one and not report a second one, until this object is closed.
 * A signal that the process was started to ignore, as with {@code nohup}, remains ignored.
 */
public final class StopSignals implements AutoCloseable {
  /** The exit code of a process ended by SIGTERM. */
  public static final int TERM_EXIT_CODE = 128 + 15;

  /**
   * A Ctrl-C may reach a process twice, from the terminal and from its parent process: a signal
   * that arrives within this time after the first one is considered the same request.
   */
  private static final long SAME_NANOS = 1_000_000_000L;

  /**
   * A signal that asks the process to stop.
   *
   * @param name such as {@code SIGTERM}
   * @param exitCode the exit code of a process that ends because of it
   */
  public record Received(String name, int exitCode) {}

  private final Consumer<Received> first;
  private final Consumer<Received> again;
  private final LongSupplier nanoTime;
  private final Map<Signal, SignalHandler> before = new HashMap<>();
  private @Nullable Long firstAt;

  StopSignals(Consumer<Received> first, Consumer<Received> again, LongSupplier nanoTime) {
    this.first = first;
    this.again = again;
    this.nanoTime = nanoTime;
  }

  /**
   * Installs the handlers.
   *
   * @param first called for the first signal, on a thread of the JVM
   * @param again called for later signals, at least a second after the first
   * @return the installed handlers; closing it restores the previous ones
   */
  public static StopSignals take(Consumer<Received> first, Consumer<Received> again) {
    StopSignals signals = new StopSignals(first, again, System::nanoTime);
    for (String name : List.of("TERM", "INT", "HUP")) {
      try {
        Signal signal = new Signal(name);
        signals.before.put(
            signal,
            Signal.handle(
                signal, s -> signals.receive(new Received("SIG" + name, 128 + s.getNumber()))));
      } catch (IllegalArgumentException e) {
        // Unknown on this system, or the JVM was told not to handle signals (-Xrs).
      }
    }
    return signals;
  }

  /** Sends SIGTERM to this process, or exits if that is not possible. */
  static void raiseTerm() {
    try {
      Signal.raise(new Signal("TERM"));
    } catch (IllegalArgumentException e) {
      System.exit(TERM_EXIT_CODE);
    }
  }

  void receive(Received signal) {
    Consumer<Received> listener;
    synchronized (this) {
      if (firstAt == null) {
        firstAt = nanoTime.getAsLong();
        listener = first;
      } else if (nanoTime.getAsLong() - firstAt >= SAME_NANOS) {
        listener = again;
      } else {
        return;
      }
    }
    listener.accept(signal);
  }

  /** Restores the previous handlers. */
  @Override
  public void close() {
    before.forEach(Signal::handle);
    before.clear();
  }
}
