package org.relaydiffusion.torch;

import java.util.Collection;
import org.jspecify.annotations.Nullable;
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

  /**
   * Refuses null where no {@code @Nullable} allows it.
   *
   * @param name the parameter's
   * @return the value
   */
  public static <T> T requireNonNull(@Nullable T value, String name) {
    if (value == null) {
      throw new TorchException(name + " is null");
    }
    return value;
  }

  /**
   * Refuses a collection that is null or has null in it.
   *
   * @param name the parameter's
   * @return the collection
   */
  public static <C extends Collection<?>> C requireNoNulls(@Nullable C values, String name) {
    C given = requireNonNull(values, name);
    int at = 0;
    for (Object value : given) {
      if (value == null) {
        throw new TorchException("%s has null at %s".formatted(name, at));
      }
      at++;
    }
    return given;
  }

  /** What failed, and why as far as LibTorch tells. */
  static TorchException failed(String what, NativeCallException cause) {
    return new TorchException(what + " failed: " + cause.getMessage());
  }
}
