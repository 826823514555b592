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
 * Takes the signals that ask a process to stop (SIGTERM, SIGINT, SIGHUP) away from the JVM, which
 * would shut down at the first one and never tell of a second one, until it is closed. A signal
 * that the process was started to ignore, as {@code nohup} does, stays ignored.
 */
public final class StopSignals implements AutoCloseable {
  /** What a process answers that SIGTERM has ended. */
  public static final int TERM_EXIT_CODE = 128 + 15;

  /**
   * One Ctrl-C may reach a process twice, from the terminal and from whoever started it: what comes
   * sooner than this after the first signal means the same.
   */
  private static final long SAME_NANOS = 1_000_000_000L;

  /**
   * A signal that asks for the end.
   *
   * @param name such as {@code SIGTERM}
   * @param exitCode what a process answers that ends because of it
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
   * Takes over the signals.
   *
   * @param first told of the first one, on a thread of the JVM
   * @param again told of those that come later, by a second or more
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
        // Unknown to this system, or the JVM was told to leave signals alone (-Xrs).
      }
    }
    return signals;
  }

  /** Sends this process a SIGTERM, or ends it where that cannot be done. */
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

  /** Hands the signals back to whoever had them before. */
  @Override
  public void close() {
    before.forEach(Signal::handle);
    before.clear();
  }
}
