// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** CUDA's runtime library, which a LibTorch with CUDA brings into the process. */
public final class CudaRuntimeAbi {
  private static final String MEMORY_NAME = "cudaMemGetInfo";
  private static final MethodHandle HAS_MEMORY = Symbols.presence(MEMORY_NAME);
  private static final MethodHandle MEMORY = Symbols.code(MEMORY_NAME, ADDRESS, ADDRESS);

  private CudaRuntimeAbi() {}

  /**
   * A device's memory, whoever uses it.
   *
   * @param free bytes that nobody has
   * @param total bytes of the device
   */
  public record Memory(long free, long total) {}

  /** The memory of a device that has been computed on; empty where CUDA does not tell. */
  public static Optional<Memory> memory(int device) {
    try (Arena arena = Arena.ofConfined()) {
      if (!(boolean) HAS_MEMORY.invokeExact()) {
        return Optional.empty();
      }
      // CUDA's own way back would make a context on a device that this process does not use.
      MemorySegment guard = CudaGuardAbi.create(device);
      try {
        MemorySegment free = arena.allocate(JAVA_LONG);
        MemorySegment total = arena.allocate(JAVA_LONG);
        return (int) MEMORY.invokeExact(free, total) == 0
            ? Optional.of(new Memory(free.get(JAVA_LONG, 0), total.get(JAVA_LONG, 0)))
            : Optional.empty();
      } finally {
        CudaGuardAbi.delete(guard);
      }
    } catch (NativeCallException e) {
      return Optional.empty();
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }
}
