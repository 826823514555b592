// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;

/** Thrown if LibTorch is missing, too old, or cannot be loaded. */
public class NativeLibraryException extends RdmException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception with a one-line message that names the library and the reason. */
  public NativeLibraryException(String message) {
    super(message);
  }

  /** Creates the exception as {@link #NativeLibraryException(String)}, with the cause. */
  public NativeLibraryException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
