// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.Collection;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.ffi.NativeCallException;

/**
 * LibTorch refused an operation, or a tensor was used that may not be (closed, another thread's).
 */
public class TorchException extends RdmException {
  private static final long serialVersionUID = 1L;
  private static final double GIB = 1 << 30;

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

  /**
   * The reason of a failed call, for the end of a message: with the memory of the device where that
   * may be the reason, unless LibTorch has told of it.
   *
   * @param reason LibTorch's words, or null where there are none
   * @param device where the operands lie
   */
  static String because(@Nullable String reason, Device device) {
    boolean memoryMatters =
        reason == null
            || (DeviceMemoryException.isMeant(reason) && !reason.contains("total capacity"));
    String memory =
        memoryMatters ? CudaMemory.available(device).map(m -> describe(m, device)).orElse("") : "";
    return (reason == null ? "" : ": " + reason) + memory;
  }

  private static String describe(CudaMemory.Available memory, Device device) {
    return String.format(
        Locale.ROOT,
        " (%s has %.2f of %.2f GiB free)",
        device,
        memory.free() / GIB,
        memory.total() / GIB);
  }

  /**
   * An operator failed.
   *
   * @param call the operator with its operands
   */
  static TorchException failed(String call, @Nullable String reason, Device device) {
    return of(call + " failed" + because(reason, device), reason);
  }

  /** What failed, and why as far as LibTorch tells. */
  static TorchException failed(String what, NativeCallException cause) {
    return of(what + " failed: " + cause.getMessage(), cause.getMessage());
  }

  private static TorchException of(String message, @Nullable String reason) {
    return DeviceMemoryException.isMeant(reason)
        ? new DeviceMemoryException(message)
        : new TorchException(message);
  }
}
