// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Writes to {@code std::cerr} as other C++ code of the process would, after LibTorch was loaded: a
 * text, one character, a line that looks like a log's but is not, and a flush on a thread that Java
 * did not make.
 */
final class CppStreamMain {
  private static final FunctionDescriptor THREAD =
      FunctionDescriptor.of(
          ValueLayout.JAVA_INT,
          ValueLayout.ADDRESS,
          ValueLayout.ADDRESS,
          ValueLayout.ADDRESS,
          ValueLayout.ADDRESS);
  private static final FunctionDescriptor JOIN =
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS);

  private CppStreamMain() {}

  public static void main(String[] arguments) {
    LibTorch library = LibTorch.load();
    MemorySegment cerr = library.function("_ZSt4cerr");
    insert(library, cerr, "another library's text ");
    Downcall.call(
        library.function("_ZNSo3putEc"),
        FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_BYTE),
        cerr,
        (byte) '+');
    insert(library, cerr, "\n[Error] of its own\n");
    insert(library, cerr, "[W1128 20:37:54.805498027 file.cpp:507] a warning\n");
    insert(library, cerr, "[E1128 20:37:54.805498027 file.cpp:507] LibTorch's error\n");
    flushOnAnotherThread(library.function("_ZNSo5flushEv"), cerr);
    System.out.println("done");
  }

  private static void insert(LibTorch library, MemorySegment stream, String text) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(text);
      Downcall.call(
          library.function(
              "_ZSt16__ostream_insertIcSt11char_traitsIcEERSt13basic_ostreamIT_T0_ES6_PKS3_l"),
          FunctionDescriptor.of(
              ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG),
          stream,
          bytes,
          bytes.byteSize() - 1);
    }
  }

  private static void flushOnAnotherThread(MemorySegment flush, MemorySegment stream) {
    Linker linker = Linker.nativeLinker();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment thread = arena.allocate(ValueLayout.JAVA_LONG);
      Downcall.call(
          linker.defaultLookup().find("pthread_create").orElseThrow(),
          THREAD,
          thread,
          MemorySegment.NULL,
          flush,
          stream);
      Downcall.call(
          linker.defaultLookup().find("pthread_join").orElseThrow(),
          JOIN,
          thread.get(ValueLayout.JAVA_LONG, 0),
          MemorySegment.NULL);
    }
  }
}
