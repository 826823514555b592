package org.relaydiffusion.checkpoint.pickle;

/**
 * A pickle that is broken or asks for what is not allowed. It never leaves this module: {@link
 * PickleReader} turns it into a {@link org.relaydiffusion.FileException} with the file and offset.
 */
public final class BadPickleException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception with one line on what was expected and what was found. */
  public BadPickleException(String what) {
    // No stack trace: the place that counts is the one in the file.
    super(what, null, false, false);
  }
}
