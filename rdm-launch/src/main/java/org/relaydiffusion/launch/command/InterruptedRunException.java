package org.relaydiffusion.launch.command;

import org.relaydiffusion.RdmException;

/** A run that was asked to stop before its end, and did so between two steps. */
public final class InterruptedRunException extends RdmException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one line: what is there, and how to go on
   * @param cause where it stopped
   */
  public InterruptedRunException(String message, Throwable cause) {
    super(message, cause);
  }
}
