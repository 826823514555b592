// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.stream.Stream;

/**
 * What is allocated in the C library's heap at this moment. Resident memory is no measure of that:
 * glibc before 2.39 may leave the place of an aligned block unused once it is freed (its bug
 * 30723), hundreds of megabytes of it, depending on what the process did before.
 */
final class NativeHeap {
  private static final StructLayout MALLINFO2 =
      MemoryLayout.structLayout(
          Stream.of(
                  "arena",
                  "ordblks",
                  "smblks",
                  "hblks",
                  "hblkhd",
                  "usmblks",
                  "fsmblks",
                  "uordblks",
                  "fordblks",
                  "keepcost")
              .map(ValueLayout.JAVA_LONG::withName)
              .toArray(MemoryLayout[]::new));

  private NativeHeap() {}

  /** In bytes, over all arenas and mapped blocks; skips the test where there is no glibc 2.33. */
  static long bytesInUse() {
    var mallinfo2 = Linker.nativeLinker().defaultLookup().find("mallinfo2");
    assumeTrue(mallinfo2.isPresent(), "the C library has no mallinfo2");
    MethodHandle call =
        Linker.nativeLinker().downcallHandle(mallinfo2.get(), FunctionDescriptor.of(MALLINFO2));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = (MemorySegment) call.invokeExact((SegmentAllocator) arena);
      return field(info, "uordblks") + field(info, "hblkhd");
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static long field(MemorySegment info, String name) {
    return info.get(ValueLayout.JAVA_LONG, MALLINFO2.byteOffset(PathElement.groupElement(name)));
  }
}
