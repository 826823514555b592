// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion;

/**
 * Thrown when work ends early because it was cancelled, or because the thread that performed it was
 * interrupted. In the latter case, the interrupt status of the thread is set.
 */
public final class CancelledException extends RdmException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception of a run that was cancelled. */
  public CancelledException() {
    super("the run was cancelled");
  }

  private CancelledException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * Returns the exception of an interrupted thread, and sets the interrupt status of the current
   * thread, which the code that threw {@code cause} may have cleared.
   *
   * @param doing what the thread was doing: {@code waiting for training data}
   * @param cause an {@link InterruptedException}, or a {@link
   *     java.nio.channels.ClosedByInterruptException}
   */
  public static CancelledException interrupted(String doing, Throwable cause) {
    Thread.currentThread().interrupt();
    return new CancelledException(doing + " was interrupted", cause);
  }
}
