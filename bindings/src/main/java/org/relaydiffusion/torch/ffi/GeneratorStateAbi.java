// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * The whole state of any device's {@code at::Generator}, and CUDA's own generators. Setting a state
 * that LibTorch would refuse ends the process, so callers check it first.
 */
public final class GeneratorStateAbi {
  // As in RandomAbi: at::Tensor has a destructor, so it comes back through a hidden pointer.
  private static final StructLayout BY_HIDDEN_POINTER =
      MemoryLayout.structLayout(MemoryLayout.sequenceLayout(4, JAVA_LONG));
  private static final MethodHandle GET =
      Symbols.any(
          "_ZNK2at9Generator9get_stateEv", FunctionDescriptor.of(BY_HIDDEN_POINTER, JAVA_LONG));
  private static final MethodHandle SET =
      Symbols.any(
          "_ZN2at9Generator9set_stateERKNS_6TensorE",
          FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG));
  private static final String DEFAULT_CUDA_NAME = "_ZN2at4cuda6detail23getDefaultCUDAGeneratorEa";
  private static final MethodHandle DEFAULT_CUDA =
      Symbols.any(DEFAULT_CUDA_NAME, FunctionDescriptor.of(JAVA_LONG, JAVA_BYTE));
  private static final MethodHandle HAS_DEFAULT_CUDA = Symbols.presence(DEFAULT_CUDA_NAME);

  private GeneratorStateAbi() {}

  /** A handle of a new uint8 vector with all of the generator's state. */
  public static long get(MemorySegment generator) {
    long handle = AutogradAbi.undefined();
    // Only its first 8 bytes are written: an undefined tensor counts nothing, so what the call
    // constructs there replaces it.
    MemorySegment result =
        MemorySegment.ofAddress(handle).reinterpret(BY_HIDDEN_POINTER.byteSize());
    SegmentAllocator place = (_, _) -> result;
    try {
      MemorySegment _ = (MemorySegment) GET.invokeExact(place, generator.address());
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    return handle;
  }

  /** Puts a state back; {@code state} is the handle of a uint8 vector that fits. */
  public static void set(MemorySegment generator, long state) {
    try {
      SET.invokeExact(generator.address(), state);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** The default generator of a CUDA device, which must exist; null in a build without CUDA. */
  public static @Nullable MemorySegment defaultCuda(int index) {
    try {
      if (!(boolean) HAS_DEFAULT_CUDA.invokeExact()) {
        return null;
      }
      return MemorySegment.ofAddress((long) DEFAULT_CUDA.invokeExact((byte) index)).reinterpret(8);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }
}
