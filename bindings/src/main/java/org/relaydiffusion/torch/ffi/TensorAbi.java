// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.relaydiffusion.RdmException;

/** Tensor handles ({@code AtenTensorHandle}, an {@code at::Tensor*}): made, asked and freed. */
public final class TensorAbi {
  private static final MethodHandle NEW_HANDLE =
      Symbols.code("aoti_torch_new_tensor_handle", JAVA_LONG, ADDRESS);
  private static final MethodHandle DELETE =
      Symbols.code("aoti_torch_delete_tensor_object", JAVA_LONG);
  private static final MethodHandle DATA_PTR =
      Symbols.code("aoti_torch_get_data_ptr", JAVA_LONG, ADDRESS);
  private static final MethodHandle DIM = Symbols.code("aoti_torch_get_dim", JAVA_LONG, ADDRESS);
  private static final MethodHandle SIZES =
      Symbols.code("aoti_torch_get_sizes", JAVA_LONG, ADDRESS);
  private static final MethodHandle STRIDES =
      Symbols.code("aoti_torch_get_strides", JAVA_LONG, ADDRESS);
  private static final MethodHandle DTYPE =
      Symbols.code("aoti_torch_get_dtype", JAVA_LONG, ADDRESS);
  private static final MethodHandle DEVICE_TYPE =
      Symbols.code("aoti_torch_get_device_type", JAVA_LONG, ADDRESS);
  private static final MethodHandle DEVICE_INDEX =
      Symbols.code("aoti_torch_get_device_index", JAVA_LONG, ADDRESS);
  private static final MethodHandle NUMEL =
      Symbols.code("aoti_torch_get_numel", JAVA_LONG, ADDRESS);
  private static final MethodHandle IS_CONTIGUOUS =
      Symbols.code("aoti_torch_is_contiguous", JAVA_LONG, ADDRESS);
  private static final MethodHandle ITEM =
      Symbols.code("aoti_torch_item_float64", JAVA_LONG, ADDRESS);
  private static final MethodHandle EMPTY_STRIDED =
      Symbols.code(
          "aoti_torch_empty_strided",
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          ADDRESS);
  private static final MethodHandle FROM_BLOB =
      Symbols.code(
          "aoti_torch_create_tensor_from_blob",
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          JAVA_LONG,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          ADDRESS);
  private static final MethodHandle SCALAR_FLOAT64 =
      Symbols.code("aoti_torch_scalar_to_tensor_float64", JAVA_DOUBLE, ADDRESS);
  private static final MethodHandle SCALAR_INT64 =
      Symbols.code("aoti_torch_scalar_to_tensor_int64", JAVA_LONG, ADDRESS);
  private static final MethodHandle COPY =
      Symbols.code("aoti_torch_copy_", JAVA_LONG, JAVA_LONG, JAVA_INT);
  private static final MethodHandle SUBTRACT =
      Symbols.code("aoti_torch_aten_subtract_Tensor", JAVA_LONG, JAVA_LONG, JAVA_DOUBLE, ADDRESS);
  private static final MethodHandle GRAD_ENABLED =
      Symbols.infallible("aoti_torch_grad_mode_is_enabled", FunctionDescriptor.of(JAVA_BOOLEAN));
  private static final MethodHandle SET_GRAD_ENABLED =
      Symbols.any("aoti_torch_grad_mode_set_enabled", FunctionDescriptor.ofVoid(JAVA_BOOLEAN));
  private static final MethodHandle SET_REQUIRES_GRAD =
      Symbols.code("torch_set_requires_grad", JAVA_LONG, JAVA_BOOLEAN);

  private static final MethodHandle IS_DEFINED =
      Symbols.code("aoti_torch_is_defined", JAVA_LONG, ADDRESS);

  private TensorAbi() {}

  /** Whether a handle has a tensor: where an operator leaves a result out, it has none. */
  public static boolean isDefined(long handle) {
    return (ask(IS_DEFINED, handle, "is_defined") & 0xff) != 0;
  }

  /** A second handle of the same tensor; both must be freed. */
  public static long clone(long handle) {
    Scratch s = Scratch.current();
    try {
      check((int) NEW_HANDLE.invokeExact(handle, s.out), "new_tensor_handle");
    } catch (Throwable e) {
      throw fatal(e);
    }
    return s.out.get(JAVA_LONG, 0);
  }

  /** Frees a handle. */
  public static void delete(long handle) {
    try {
      check((int) DELETE.invokeExact(handle), "delete_tensor_object");
    } catch (Throwable e) {
      throw fatal(e);
    }
  }

  /** The address of the first element. */
  public static long dataPointer(long handle) {
    return ask(DATA_PTR, handle, "get_data_ptr");
  }

  /** As {@link #dataPointer}; 0 for a tensor without memory of its own, such as a sparse one. */
  public static long dataPointerOrZero(long handle) {
    Scratch s = Scratch.current();
    s.out.set(JAVA_LONG, 0, 0L);
    try {
      return (int) DATA_PTR.invokeExact(handle, s.out) == 0 ? s.out.get(JAVA_LONG, 0) : 0;
    } catch (Throwable e) {
      throw fatal(e);
    }
  }

  /** The sizes. */
  public static long[] sizes(long handle) {
    return array(SIZES, handle, "get_sizes");
  }

  /** The strides in elements. */
  public static long[] strides(long handle) {
    return array(STRIDES, handle, "get_strides");
  }

  /** The number of elements. */
  public static long numel(long handle) {
    return ask(NUMEL, handle, "get_numel");
  }

  /** Whether the elements lie in row-major order without gaps. */
  public static boolean isContiguous(long handle) {
    return (ask(IS_CONTIGUOUS, handle, "is_contiguous") & 0xff) != 0;
  }

  /** The one element, of whatever type, as a double. */
  public static double item(long handle) throws NativeCallException {
    Scratch s = Scratch.current();
    int code;
    try {
      code = (int) ITEM.invokeExact(handle, s.out);
    } catch (Throwable e) {
      throw fatal(e);
    }
    check(code, "item");
    return s.out.get(JAVA_DOUBLE, 0);
  }

  /** {@code c10::ScalarType}. */
  public static int dtype(long handle) {
    return (int) ask(DTYPE, handle, "get_dtype");
  }

  /** {@code c10::DeviceType}: 0 for the CPU, 1 for CUDA. */
  public static int deviceType(long handle) {
    return (int) ask(DEVICE_TYPE, handle, "get_device_type");
  }

  /** The device's number among its type, or -1. */
  public static int deviceIndex(long handle) {
    return (int) ask(DEVICE_INDEX, handle, "get_device_index");
  }

  /** An uninitialised tensor. */
  public static long emptyStrided(
      long[] sizes, long[] strides, int dtype, int deviceType, int deviceIndex)
      throws NativeCallException {
    Scratch s = Scratch.current();
    int code;
    try {
      code =
          (int)
              EMPTY_STRIDED.invokeExact(
                  (long) sizes.length,
                  s.sizes(sizes),
                  s.strides(strides),
                  dtype,
                  deviceType,
                  deviceIndex,
                  s.out);
    } catch (Throwable e) {
      throw fatal(e);
    }
    return result(code, s, "empty_strided");
  }

  /** A tensor over memory that somebody else owns. */
  public static long fromBlob(long address, long[] sizes, long[] strides, int dtype)
      throws NativeCallException {
    Scratch s = Scratch.current();
    int code;
    try {
      code =
          (int)
              FROM_BLOB.invokeExact(
                  address,
                  (long) sizes.length,
                  s.sizes(sizes),
                  s.strides(strides),
                  0L,
                  dtype,
                  0,
                  -1,
                  s.out);
    } catch (Throwable e) {
      throw fatal(e);
    }
    return result(code, s, "create_tensor_from_blob");
  }

  /** A 0-dim float64 tensor: as an operand it takes the other's type, as a Python float does. */
  public static long scalar(double value) {
    Scratch s = Scratch.current();
    try {
      check((int) SCALAR_FLOAT64.invokeExact(value, s.out), "scalar_to_tensor_float64");
    } catch (Throwable e) {
      throw fatal(e);
    }
    return s.out.get(JAVA_LONG, 0);
  }

  /** A 0-dim int64 tensor. */
  public static long scalar(long value) {
    Scratch s = Scratch.current();
    try {
      check((int) SCALAR_INT64.invokeExact(value, s.out), "scalar_to_tensor_int64");
    } catch (Throwable e) {
      throw fatal(e);
    }
    return s.out.get(JAVA_LONG, 0);
  }

  /** {@code self.copy_(source)}. */
  public static void copy(long self, long source) throws NativeCallException {
    int code;
    try {
      code = (int) COPY.invokeExact(self, source, 0);
    } catch (Throwable e) {
      throw fatal(e);
    }
    if (code != 0) {
      throw new NativeCallException("copy_");
    }
  }

  /** {@code a - alpha b}, through the dispatcher and so with autograd. */
  public static long subtract(long a, long b, double alpha) throws NativeCallException {
    Scratch s = Scratch.current();
    int code;
    try {
      code = (int) SUBTRACT.invokeExact(a, b, alpha, s.out);
    } catch (Throwable e) {
      throw fatal(e);
    }
    return result(code, s, "subtract");
  }

  /** Whether operators of this thread record gradients. */
  public static boolean gradEnabled() {
    try {
      return (boolean) GRAD_ENABLED.invokeExact();
    } catch (Throwable e) {
      throw fatal(e);
    }
  }

  /** Switches the recording of gradients for this thread. */
  public static void setGradEnabled(boolean enabled) {
    try {
      SET_GRAD_ENABLED.invokeExact(enabled);
    } catch (Throwable e) {
      throw fatal(e);
    }
  }

  /** Marks a leaf tensor as one that requires a gradient. */
  public static void setRequiresGrad(long handle, boolean wanted) throws NativeCallException {
    int code;
    try {
      code = (int) SET_REQUIRES_GRAD.invokeExact(handle, wanted);
    } catch (Throwable e) {
      throw fatal(e);
    }
    if (code != 0) {
      throw new NativeCallException("requires_grad_");
    }
  }

  private static long ask(MethodHandle function, long handle, String name) {
    Scratch s = Scratch.current();
    s.out.set(JAVA_LONG, 0, 0L);
    try {
      check((int) function.invokeExact(handle, s.out), name);
    } catch (Throwable e) {
      throw fatal(e);
    }
    return s.out.get(JAVA_LONG, 0);
  }

  private static long[] array(MethodHandle function, long handle, String name) {
    int rank = (int) ask(DIM, handle, "get_dim");
    if (rank == 0) {
      return new long[0];
    }
    long address = ask(function, handle, name);
    return MemorySegment.ofAddress(address).reinterpret(8L * rank).toArray(JAVA_LONG);
  }

  private static long result(int code, Scratch s, String function) throws NativeCallException {
    if (code != 0) {
      throw new NativeCallException(function);
    }
    return s.out.get(JAVA_LONG, 0);
  }

  private static void check(int code, String function) throws NativeCallException {
    if (code != 0) {
      throw new NativeCallException(function);
    }
  }

  static RuntimeException fatal(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException r
        ? r
        : new RdmException("LibTorch refused " + e.getMessage(), e);
  }
}
