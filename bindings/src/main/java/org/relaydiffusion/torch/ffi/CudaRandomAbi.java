// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import org.relaydiffusion.torch.ffi.RandomAbi.Draw;

/**
 * Generators of their own on CUDA devices, and draws from them: each is one launch on the current
 * stream. The device must be there and have a context, since LibTorch's factory ends the process
 * where it is not.
 */
public final class CudaRandomAbi {
  private static final int CUDA = 1;
  private static final MethodHandle CREATE =
      Symbols.any(
          "_ZN2at4cuda6detail19createCUDAGeneratorEa",
          FunctionDescriptor.of(RandomAbi.BY_HIDDEN_POINTER, JAVA_BYTE));
  private static final MethodHandle SET_SEED =
      Symbols.any(
          "_ZN2at17CUDAGeneratorImpl16set_current_seedEm",
          FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle RANDN = RandomAbi.sized("aoti_torch_cuda_randn_generator");
  private static final MethodHandle RAND = RandomAbi.sized("aoti_torch_cuda_rand_generator");
  private static final MethodHandle RANDINT =
      RandomAbi.bounded("aoti_torch_cuda_randint_generator");

  private CudaRandomAbi() {}

  /** A new generator in {@code arena}; its one reference is never dropped by {@code arena}. */
  public static MemorySegment create(Arena arena, int index) {
    MemorySegment generator = arena.allocate(RandomAbi.BY_HIDDEN_POINTER);
    SegmentAllocator place = (_, _) -> generator;
    try {
      MemorySegment _ = (MemorySegment) CREATE.invokeExact(place, (byte) index);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    return generator;
  }

  /** {@code manual_seed}, which also sets the offset to 0. */
  public static void seed(MemorySegment generator, long seed) {
    try {
      SET_SEED.invokeExact(generator.get(JAVA_LONG, 0), seed);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** A tensor of draws on device {@code index}. */
  public static long draw(MemorySegment generator, int index, Draw draw, long[] sizes, int dtype)
      throws NativeCallException {
    MethodHandle function = draw == Draw.NORMAL ? RANDN : RAND;
    return RandomAbi.draw(function, generator, deviceType(), index, draw, sizes, dtype);
  }

  /** A tensor of integers in [0, high) on device {@code index}. */
  public static long randint(MemorySegment generator, int index, long high, long[] sizes, int dtype)
      throws NativeCallException {
    return RandomAbi.randint(RANDINT, generator, deviceType(), index, high, sizes, dtype);
  }

  /** The call wants the device type's address: beside the dtype's, see {@link RandomAbi}. */
  private static MemorySegment deviceType() {
    MemorySegment type = Scratch.stack(2).asSlice(Long.BYTES, Integer.BYTES);
    type.set(JAVA_INT, 0, CUDA);
    return type;
  }
}
