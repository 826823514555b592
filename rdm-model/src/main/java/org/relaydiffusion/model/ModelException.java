// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;

/** A configuration or a state that makes no network, or an input that the network cannot take. */
public class ModelException extends RdmException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception; the message names the setting or tensor, what it takes and what it got.
   */
  public ModelException(String message) {
    super(message);
  }

  /** Creates the exception with its cause. */
  public ModelException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
