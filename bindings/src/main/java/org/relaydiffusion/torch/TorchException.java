package org.relaydiffusion.torch;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.ffi.NativeCallException;

/**
 * LibTorch refused an operation, or a tensor was used that may not be (closed, another thread's).
 */
public class TorchException extends RdmException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception; the message names the operator and its operands' shapes and types. */
  public TorchException(String message) {
    super(message);
  }

  /** What failed, and why as far as LibTorch tells. */
  static TorchException failed(String what, NativeCallException cause) {
    return new TorchException(what + " failed: " + cause.getMessage());
  }
}
