package org.relaydiffusion;

/** An option or argument that cannot be meant: the caller's mistake, not the data's. */
public class OptionException extends RdmException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one line that names the option, what it takes and what was given
   */
  public OptionException(String message) {
    super(message);
  }
}
