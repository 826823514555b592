package org.relaydiffusion.launch;

import java.util.ArrayList;
import java.util.List;

/**
 * The wish that a run should end early: set once, by Ctrl-C, SIGTERM or a test, and passed on to
 * whoever listens. Threads may share it.
 */
public final class StopSignal {
  private final List<Runnable> listeners = new ArrayList<>();
  private boolean requested;

  /**
   * Asks for the end; further calls do nothing.
   *
   * @return whether anybody listens, and so will end a run in good order
   */
  public boolean request() {
    List<Runnable> toTell;
    synchronized (this) {
      if (requested) {
        return !listeners.isEmpty();
      }
      requested = true;
      toTell = List.copyOf(listeners);
    }
    toTell.forEach(Runnable::run);
    return !toTell.isEmpty();
  }

  /** Whether the end was asked for. */
  public synchronized boolean isRequested() {
    return requested;
  }

  /** Calls {@code listener} when the end is asked for: at once, if it was already. */
  public void onRequest(Runnable listener) {
    synchronized (this) {
      if (!requested) {
        listeners.add(listener);
        return;
      }
    }
    listener.run();
  }
}
