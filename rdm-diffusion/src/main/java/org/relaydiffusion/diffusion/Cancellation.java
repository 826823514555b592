package org.relaydiffusion.diffusion;

import org.relaydiffusion.CancelledException;

/**
 * A switch that ends a run early. {@link #cancel()} may be called on any thread and as often as one
 * likes; the run then throws {@link CancelledException} at its next step. Interrupting the thread
 * of a run, as {@code Future.cancel(true)} does, has the same effect on that run alone.
 */
public final class Cancellation {
  private volatile boolean cancelled;

  /** Creates a switch that is off. */
  public Cancellation() {}

  /** Asks every run that has this switch to end. */
  public void cancel() {
    cancelled = true;
  }

  /** Whether {@link #cancel()} was called. */
  public boolean isCancelled() {
    return cancelled;
  }

  /**
   * Returns if the run may go on.
   *
   * @throws CancelledException if {@link #cancel()} was called, or the current thread is
   *     interrupted; its interrupted status stays set
   */
  public void check() {
    if (cancelled || Thread.currentThread().isInterrupted()) {
      throw new CancelledException();
    }
  }
}
