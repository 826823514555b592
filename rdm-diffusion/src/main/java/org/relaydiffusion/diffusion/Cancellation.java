package org.relaydiffusion.diffusion;

/**
 * A switch that ends a run early. {@link #cancel()} may be called on any thread and as often as one
 * likes; the run then throws {@link CancelledException} at its next step.
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
   * @throws CancelledException if not
   */
  public void check() {
    if (cancelled) {
      throw new CancelledException();
    }
  }
}
