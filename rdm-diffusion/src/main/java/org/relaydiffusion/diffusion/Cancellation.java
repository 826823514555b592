// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import org.relaydiffusion.CancelledException;

/**
 * Cancels runs. {@link #cancel()} may be called on any thread and any number of times; a run then
 * ends at its next step. Sampling, and training before its first step, throws {@link
 * CancelledException}; {@link org.relaydiffusion.diffusion.train.Trainer} saves the state and
 * returns. Interrupting the thread of a run, as {@code Future.cancel(true)} does, has the same
 * effect on that run alone.
 */
public final class Cancellation {
  private volatile boolean cancelled;

  /** Creates an object that has not been cancelled. */
  public Cancellation() {}

  /** Cancels every run that uses this object. */
  public void cancel() {
    cancelled = true;
  }

  /** Returns whether {@link #cancel()} was called. */
  public boolean isCancelled() {
    return cancelled;
  }

  /**
   * Returns normally if the run may continue.
   *
   * @throws CancelledException if {@link #cancel()} was called or the current thread is
   *     interrupted; its interrupt status remains set
   */
  public void check() {
    if (cancelled || Thread.currentThread().isInterrupted()) {
      throw new CancelledException();
    }
  }
}
