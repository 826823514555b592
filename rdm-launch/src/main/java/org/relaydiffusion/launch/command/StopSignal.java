package org.relaydiffusion.launch.command;

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
    /** Within seconds, and the process says that it was interrupted. */
    SOON,
    /** When all is saved, however long that takes; the process's exit code is the run's own. */
    IN_ITS_OWN_TIME
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
      ending = Optional.of(how);
      if (!requested) {
        listeners.add(listener);
        return;
      }
    }
    listener.run();
  }
}
