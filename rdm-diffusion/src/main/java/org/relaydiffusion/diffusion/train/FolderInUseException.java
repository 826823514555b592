package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import org.relaydiffusion.FileException;

/** A run's folder that another run has. */
public final class FolderInUseException extends FileException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param folder of the run
   * @param holder who has it
   */
  FolderInUseException(Path folder, String holder, Throwable cause) {
    super(folder, "is in use by " + holder, cause);
  }

  /** As above, where this very process has it. */
  FolderInUseException(Path folder) {
    super(folder, "is in use by this process");
  }
}
