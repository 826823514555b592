package org.relaydiffusion.launch.command;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The wish that a run should end early: set once, by Ctrl-C, SIGTERM or a test, and passed on to
 * whoever listens. Threads may share it.
 */
public final class StopSignal {
  /** How a run ends that is asked to. */
  public enum Ending {
    /** Within a second: it waits or prepares, and nothing would be lost. */
    AT_ONCE(Optional.of(Duration.ofSeconds(1))),
    /** Within seconds, and the process says that it was interrupted. */
    SOON(Optional.of(Duration.ofSeconds(20))),
    /** When all is saved, however long that takes; the process's exit code is the run's own. */
    IN_ITS_OWN_TIME(Optional.empty());

    private final Optional<Duration> patience;

    Ending(Optional<Duration> patience) {
      this.patience = patience;
    }

    /**
     * How long the process waits for the run's end before it ends without it; empty for as long as
     * it takes. Files are whole at any time, so a step that takes longer may be cut off.
     */
    public Optional<Duration> patience() {
      return patience;
    }
  }

  private final List<Runnable> listeners = new ArrayList<>();
  private Optional<Ending> ending = Optional.empty();
  private boolean requested;

  /**
   * Asks for the end; further calls do nothing.
   *
   * @return how the run will end; empty where nobody listens
   */
  public Optional<Ending> request() {
    List<Runnable> toTell;
    Optional<Ending> how;
    synchronized (this) {
      how = ending;
      if (requested) {
        return how;
      }
      requested = true;
      toTell = List.copyOf(listeners);
    }
    toTell.forEach(Runnable::run);
    return how;
  }

  /** Whether the end was asked for. */
  public synchronized boolean isRequested() {
    return requested;
  }

  /** As {@link #onRequest(Runnable, Ending)}, with {@link Ending#SOON}. */
  public void onRequest(Runnable listener) {
    onRequest(listener, Ending.SOON);
  }

  /**
   * Calls {@code listener} when the end is asked for: at once, if it was already.
   *
   * @param how the run that listens will end
   */
  public void onRequest(Runnable listener, Ending how) {
    synchronized (this) {
      if (!requested) {
        ending = Optional.of(how);
        listeners.add(listener);
        return;
      }
    }
    listener.run();
  }

  /**
   * Lets {@code listener} take the place of all others, because the run has come to a part that
   * ends in another way.
   *
   * @param how the run ends from now on
   * @return false if the end was asked for already: nothing is changed then, and the run must end
   *     as it has promised
   */
  public synchronized boolean replace(Runnable listener, Ending how) {
    if (requested) {
      return false;
    }
    listeners.clear();
    listeners.add(listener);
    ending = Optional.of(how);
    return true;
  }
}
