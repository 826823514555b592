// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion;

import org.jspecify.annotations.Nullable;

/**
 * The root of all exceptions thrown deliberately by this project. The message is one line that
 * names the file, option, operator or tensor, what was expected and what was found; the command
 * line prints it and exits with 1 ({@link OptionException}: 2). Text quoted in a message is
 * sanitized with {@link Printable}.
 */
public class RdmException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception with a one-line message. */
  public RdmException(String message) {
    super(Printable.message(message));
  }

  /** Creates an exception with a one-line message and its cause. */
  public RdmException(String message, @Nullable Throwable cause) {
    super(Printable.message(message), cause);
  }
}
