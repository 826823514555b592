package org.relaydiffusion;

/**
 * Work ended early because it was asked to: a cancellation was requested, or the thread that did
 * the work was interrupted. The thread's interrupted status is then still set.
 */
public final class CancelledException extends RdmException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception of a run that was asked to end. */
  public CancelledException() {
    super("the run was cancelled");
  }

  private CancelledException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * The exception of a thread that was interrupted; sets the current thread's interrupted status,
   * which whoever threw {@code cause} may have cleared.
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
