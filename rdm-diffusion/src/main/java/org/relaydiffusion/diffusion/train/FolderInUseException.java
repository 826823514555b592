// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import org.relaydiffusion.FileException;

/** Thrown when a run's folder is owned by another run. */
public final class FolderInUseException extends FileException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param folder of the run
   * @param holder the owner
   */
  FolderInUseException(Path folder, String holder, Throwable cause) {
    super(folder, "is in use by " + holder, cause);
  }

  /** Creates the exception for a folder owned by this process. */
  FolderInUseException(Path folder) {
    super(folder, "is in use by this process");
  }
}
