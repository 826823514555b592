package org.relaydiffusion;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A file that cannot be read, does not hold what it should, or cannot be written. */
public class FileException extends RdmException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param file the file at fault; the message begins with it
   * @param what one line: what was expected and what was found
   */
  public FileException(Path file, String what) {
    super(Printable.of(file) + ": " + what);
  }

  /** As {@link #FileException(Path, String)}, with the error that the file system gave. */
  public FileException(Path file, String what, @Nullable Throwable cause) {
    super(Printable.of(file) + ": " + what, cause);
  }
}
