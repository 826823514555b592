// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * A tensor's place in the graph. The C ABI has no word for {@code .grad}, but a handle is an {@code
 * at::Tensor*}, whose 8 bytes are a counted pointer to the {@code c10::TensorImpl}, and that
 * class's own functions are exported. None of those called here throws.
 */
public final class AutogradAbi {
  private static final MethodHandle REQUIRES_GRAD =
      Symbols.infallible(
          "_ZNK3c1010TensorImpl13requires_gradEv", FunctionDescriptor.of(JAVA_BOOLEAN, JAVA_LONG));
  private static final MethodHandle GRAD =
      Symbols.any("_ZNK3c1010TensorImpl4gradEv", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle MUTABLE_GRAD =
      Symbols.infallible(
          "_ZN3c1010TensorImpl12mutable_gradEv", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle NEW_UNDEFINED =
      Symbols.code("aoti_torch_new_uninitialized_tensor", ADDRESS);

  private AutogradAbi() {}

  /** Whether the tensor is a leaf that requires a gradient, or was computed from one. */
  public static boolean requiresGrad(long handle) {
    try {
      return (boolean) REQUIRES_GRAD.invokeExact(impl(handle).get(JAVA_LONG, 0));
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** An alias of the tensor's gradient, or 0 where it has none. */
  public static long grad(long handle) {
    try {
      long grad = (long) GRAD.invokeExact(impl(handle).get(JAVA_LONG, 0));
      return TensorAbi.isDefined(grad) ? TensorAbi.clone(grad) : 0;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * Puts {@code grad}, which stays the caller's, in the place of the tensor's gradient; 0 for none.
   */
  public static void setGrad(long handle, long grad) {
    long replacement = grad == 0 ? undefined() : TensorAbi.clone(grad);
    try {
      // The one before goes with the handle.
      swap(gradPlace(handle), replacement);
    } finally {
      TensorAbi.delete(replacement);
    }
  }

  /** The address of the {@code at::Tensor} that is the tensor's gradient, undefined or not. */
  static long gradPlace(long handle) {
    try {
      return (long) MUTABLE_GRAD.invokeExact(impl(handle).get(JAVA_LONG, 0));
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Two {@code at::Tensor} swap their pointers: each reference is still counted once. */
  static void swap(long one, long other) {
    MemorySegment here = impl(one);
    MemorySegment there = impl(other);
    long before = here.get(JAVA_LONG, 0);
    here.set(JAVA_LONG, 0, there.get(JAVA_LONG, 0));
    there.set(JAVA_LONG, 0, before);
  }

  /** A handle of an {@code at::Tensor} that holds nothing yet. */
  static long undefined() {
    Scratch s = Scratch.current();
    try {
      if ((int) NEW_UNDEFINED.invokeExact(s.out) != 0) {
        throw new IllegalStateException("LibTorch refused new_uninitialized_tensor");
      }
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    return s.out.get(JAVA_LONG, 0);
  }

  /** Whether two handles are of one tensor. */
  static boolean areOne(long a, long b) {
    return impl(a).get(JAVA_LONG, 0) == impl(b).get(JAVA_LONG, 0);
  }

  /** The one field of an {@code at::Tensor}: the address of its {@code c10::TensorImpl}. */
  private static MemorySegment impl(long handle) {
    return MemorySegment.ofAddress(handle).reinterpret(JAVA_LONG.byteSize());
  }
}
