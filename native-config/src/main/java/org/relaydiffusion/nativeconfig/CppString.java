// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Calls C++ functions without arguments that return a libstdc++ {@code std::string}. Such an object
 * is returned in memory provided by the caller, 32 bytes that begin with the address and length of
 * the text. The linker does this for any struct of that size, on every platform with libstdc++.
 */
final class CppString {
  private static final StructLayout STRING =
      MemoryLayout.structLayout(
          ValueLayout.ADDRESS.withName("data"),
          ValueLayout.JAVA_LONG.withName("length"),
          MemoryLayout.sequenceLayout(2, ValueLayout.JAVA_LONG));
  private static final long LONGEST = 1 << 16;

  private CppString() {}

  /**
   * Returns the result of {@code mangledName}; empty if this build does not have it. The name must
   * contain libstdc++'s ABI tag {@code B5cxx11}, which guarantees the layout described above. The
   * memory of a long text, a few hundred bytes, is not freed, so this is for functions that are
   * called once.
   */
  static Optional<String> call(LibTorch library, String mangledName) {
    if (!mangledName.contains("B5cxx11")) {
      throw new IllegalArgumentException(mangledName);
    }
    Optional<MemorySegment> function = library.find(mangledName);
    if (function.isEmpty()) {
      return Optional.empty();
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment string =
          (MemorySegment)
              Linker.nativeLinker()
                  .downcallHandle(function.get(), FunctionDescriptor.of(STRING))
                  .invokeExact((SegmentAllocator) arena);
      long length = string.get(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS.byteSize());
      if (length < 0 || length > LONGEST) {
        return Optional.empty();
      }
      byte[] text =
          string.get(ValueLayout.ADDRESS, 0).reinterpret(length).toArray(ValueLayout.JAVA_BYTE);
      return Optional.of(new String(text, StandardCharsets.UTF_8).strip());
    } catch (Throwable e) {
      throw new NativeLibraryException(mangledName + " failed in " + library.path(), e);
    }
  }
}
