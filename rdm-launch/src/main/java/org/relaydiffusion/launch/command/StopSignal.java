// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A request to end a run early: set once, by Ctrl-C, SIGTERM or a test, and forwarded to the
 * listeners. Safe for use by several threads.
 */
public final class StopSignal {
  /** The way in which a run ends when asked to stop. */
  public enum Ending {
    /** Within a second: the run is waiting or preparing, and nothing would be lost. */
    AT_ONCE(Optional.of(Duration.ofSeconds(1))),
    /** Within seconds; the process reports that it was interrupted. */
    SOON(Optional.of(Duration.ofSeconds(20))),
    /**
     * After everything has been saved, however long that takes; the exit code is that of the run.
     */
    IN_ITS_OWN_TIME(Optional.empty());

    private final Optional<Duration> patience;

    Ending(Optional<Duration> patience) {
      this.patience = patience;
    }

    /**
     * Returns how long the process waits for the end of the run before it ends anyway; empty for no
     * limit. Files are complete at any time, so a step may be cut off.
     */
    public Optional<Duration> patience() {
      return patience;
    }
  }

  private final List<Runnable> listeners = new ArrayList<>();
  private Optional<Ending> ending = Optional.empty();
  private boolean requested;

  /**
   * Requests the end; further calls have no effect.
   *
   * @return how the run will end; empty if there is no listener
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

  /** Returns whether the end was requested. */
  public synchronized boolean isRequested() {
    return requested;
  }

  /** As {@link #onRequest(Runnable, Ending)}, with {@link Ending#SOON}. */
  public void onRequest(Runnable listener) {
    onRequest(listener, Ending.SOON);
  }

  /**
   * Registers a listener, which is called when the end is requested, or immediately if it already
   * was.
   *
   * @param listener called at most once
   * @param how the run of the listener will end
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
   * Replaces all listeners by {@code listener}, because the run has reached a part that ends
   * differently.
   *
   * @param listener called at most once
   * @param how the run ends from now on
   * @return false if the end was already requested; nothing is changed then, and the run must end
   *     as it has declared before
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
