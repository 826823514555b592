// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;

/**
 * C functions that are one operator each ({@code aoti_torch_cpu_mul_Tensor}). They skip the
 * dispatcher: no operator is looked up by name, nothing is boxed. In return they run the kernel for
 * dense CPU tensors whatever the operands are, and record no gradient: see {@link #isDense}.
 *
 * <p>Each returns 0 where this LibTorch lacks the function, or it refuses the operands; the same
 * call through the dispatcher then says why.
 */
public final class CpuAbi {
  private static final MethodHandle HAS_MUL = Symbols.presence("aoti_torch_cpu_mul_Tensor");
  private static final MethodHandle MUL =
      Symbols.code("aoti_torch_cpu_mul_Tensor", JAVA_LONG, JAVA_LONG, ADDRESS);
  private static final MethodHandle HAS_ADD = Symbols.presence("aoti_torch_cpu_add_Tensor");
  private static final MethodHandle ADD =
      Symbols.code("aoti_torch_cpu_add_Tensor", JAVA_LONG, JAVA_LONG, JAVA_DOUBLE, ADDRESS);
  private static final MethodHandle HAS_RESHAPE = Symbols.presence("aoti_torch_cpu_reshape");
  private static final MethodHandle RESHAPE =
      Symbols.code("aoti_torch_cpu_reshape", JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle HAS_NARROW = Symbols.presence("aoti_torch_cpu_narrow");
  private static final MethodHandle NARROW =
      Symbols.code("aoti_torch_cpu_narrow", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS);
  private static final MethodHandle LAYOUT =
      Symbols.code("aoti_torch_get_layout", JAVA_LONG, ADDRESS);
  private static final MethodHandle DEVICE_TYPE =
      Symbols.code("aoti_torch_get_device_type", JAVA_LONG, ADDRESS);
  private static final MethodHandle NUMEL =
      Symbols.code("aoti_torch_get_numel", JAVA_LONG, ADDRESS);
  private static final MethodHandle DATA_PTR =
      Symbols.code("aoti_torch_get_data_ptr", JAVA_LONG, ADDRESS);

  private CpuAbi() {}

  /**
   * Whether a tensor has strides and memory on the CPU. oneDNN's and sparse tensors have another
   * layout; tensors that stand for zeros, and those that wrap others, have no memory.
   */
  public static boolean isDense(long handle) {
    Scratch s = Scratch.current();
    try {
      return ask(LAYOUT, handle, s) == 0
          && ask(DEVICE_TYPE, handle, s) == 0
          && (ask(DATA_PTR, handle, s) > 0 || ask(NUMEL, handle, s) == 0);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** {@code a * b}. */
  public static long mul(long a, long b) {
    Scratch s = Scratch.current();
    try {
      if (!(boolean) HAS_MUL.invokeExact()) {
        return 0;
      }
      return (int) MUL.invokeExact(a, b, s.out) == 0 ? s.out.get(JAVA_LONG, 0) : 0;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** {@code a + alpha b}. */
  public static long add(long a, long b, double alpha) {
    Scratch s = Scratch.current();
    try {
      if (!(boolean) HAS_ADD.invokeExact()) {
        return 0;
      }
      return (int) ADD.invokeExact(a, b, alpha, s.out) == 0 ? s.out.get(JAVA_LONG, 0) : 0;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Another shape; this one does record gradients. */
  public static long reshape(long x, long[] sizes) {
    if (sizes.length > Scratch.MAX_RANK) {
      return 0;
    }
    Scratch s = Scratch.current();
    try {
      if (!(boolean) HAS_RESHAPE.invokeExact()) {
        return 0;
      }
      int code = (int) RESHAPE.invokeExact(x, s.sizes(sizes), (long) sizes.length, s.out);
      return code == 0 ? s.out.get(JAVA_LONG, 0) : 0;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Elements [start, start + length) of an axis; this one does record gradients. */
  public static long narrow(long x, long dim, long start, long length) {
    Scratch s = Scratch.current();
    try {
      if (!(boolean) HAS_NARROW.invokeExact()) {
        return 0;
      }
      int code = (int) NARROW.invokeExact(x, dim, start, length, s.out);
      return code == 0 ? s.out.get(JAVA_LONG, 0) : 0;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** The answer, or -1 where the tensor has none. */
  private static long ask(MethodHandle question, long handle, Scratch s) throws Throwable {
    s.out.set(JAVA_LONG, 0, 0L);
    return (int) question.invokeExact(handle, s.out) == 0 ? s.out.get(JAVA_LONG, 0) : -1;
  }
}
