// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Thrown if a file cannot be read or written, or has invalid content. */
public class FileException extends RdmException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param file the file; the message begins with it
   * @param what one line: what was expected and what was found
   */
  public FileException(Path file, String what) {
    super(Printable.of(file) + ": " + what);
  }

  /**
   * Creates the exception as {@link #FileException(Path, String)}, with the error of the file
   * system.
   */
  public FileException(Path file, String what, @Nullable Throwable cause) {
    super(Printable.of(file) + ": " + what, cause);
  }
}
