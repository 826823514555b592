package org.relaydiffusion.diffusion;

import org.relaydiffusion.RdmException;

/** A run ended early because it was asked to. */
public final class CancelledException extends RdmException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception. */
  public CancelledException() {
    super("the run was cancelled");
  }
}
