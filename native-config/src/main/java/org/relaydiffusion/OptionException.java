// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion;

/** Thrown if an option or argument is invalid: a mistake of the caller, not of the data. */
public class OptionException extends RdmException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one line that names the option, its valid values and the given one
   */
  public OptionException(String message) {
    super(message);
  }
}
