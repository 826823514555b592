// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

/**
 * Thrown if a pickle is damaged or contains anything not allowed. It never leaves this module:
 * {@link PickleReader} converts it to a {@link org.relaydiffusion.FileException} with the file and
 * offset.
 */
public final class BadPickleException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception with one line that states what was expected and what was found. */
  public BadPickleException(String what) {
    // No stack trace: the relevant location is that in the file.
    super(what, null, false, false);
  }
}
