// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import org.relaydiffusion.RdmException;

/** Thrown when a run has stopped between two steps because it was asked to. */
public final class InterruptedRunException extends RdmException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one line: what has been saved, and how to resume
   * @param cause where the run stopped
   */
  public InterruptedRunException(String message, Throwable cause) {
    super(message, cause);
  }
}
