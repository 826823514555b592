// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.OptionalInt;

/** CUDA's runtime library, which a LibTorch with CUDA brings into the process. */
public final class CudaRuntimeAbi {
  private static final String MEMORY_NAME = "cudaMemGetInfo";
  private static final MethodHandle HAS_MEMORY = Symbols.presence(MEMORY_NAME);
  private static final MethodHandle MEMORY = Symbols.code(MEMORY_NAME, ADDRESS, ADDRESS);
  private static final String ATTRIBUTE_NAME = "cudaDeviceGetAttribute";
  private static final MethodHandle HAS_ATTRIBUTE = Symbols.presence(ATTRIBUTE_NAME);
  private static final MethodHandle ATTRIBUTE =
      Symbols.code(ATTRIBUTE_NAME, ADDRESS, JAVA_INT, JAVA_INT);

  private CudaRuntimeAbi() {}

  /**
   * A device's memory, whoever uses it.
   *
   * @param free bytes that nobody has
   * @param total bytes of the device
   */
  public record Memory(long free, long total) {}

  /** A number that CUDA tells of a device ({@code cudaDeviceAttr}). */
  public enum Attribute {
    /** The multiprocessors of the device. */
    MULTIPROCESSORS(16),
    /** The threads that a multiprocessor runs at once, at most. */
    THREADS_OF_A_MULTIPROCESSOR(39);

    private final int code;

    Attribute(int code) {
      this.code = code;
    }
  }

  /** An attribute of a device; empty where CUDA does not tell. Begins no context there. */
  public static OptionalInt attribute(Attribute attribute, int device) {
    try (Arena arena = Arena.ofConfined()) {
      if (!(boolean) HAS_ATTRIBUTE.invokeExact()) {
        return OptionalInt.empty();
      }
      MemorySegment value = arena.allocate(JAVA_INT);
      int code = (int) ATTRIBUTE.invokeExact(value, attribute.code, device);
      return code == 0 ? OptionalInt.of(value.get(JAVA_INT, 0)) : OptionalInt.empty();
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

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
