// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

/**
 * A C function of LibTorch or CUDA returned an error code; callers turn it into an exception that
 * names operands.
 */
public final class NativeCallException extends Exception {
  private static final long serialVersionUID = 1L;

  NativeCallException(String function) {
    super(reason(function), null, false, false);
  }

  /** A function of the CUDA runtime's, of which LibTorch knows nothing. */
  NativeCallException(String function, int code) {
    super("%s returned CUDA error %s".formatted(function, code), null, false, false);
  }

  /** LibTorch's own words, where the build can tell them, else the function's name. */
  private static String reason(String function) {
    String words = DispatcherAbi.lastError();
    return words == null ? function : words;
  }
}
