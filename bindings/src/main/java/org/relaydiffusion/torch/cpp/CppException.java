// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

/** A C++ function threw. The caller knows what it was doing, and says so in its own exception. */
public final class CppException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String text;

  CppException(String reason, String text) {
    super(reason, null, false, false);
    this.text = text;
  }

  /** For what Java found out before C++ could. */
  public CppException(String reason) {
    this(reason, reason);
  }

  /** LibTorch's words in one line, without the places in its source code. */
  public String reason() {
    return String.valueOf(getMessage());
  }

  /** All that it said. */
  String text() {
    return text;
  }
}
