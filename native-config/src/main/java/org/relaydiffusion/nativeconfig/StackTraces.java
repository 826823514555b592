// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * The C++ stack trace in each of LibTorch's errors, which nobody reads here. To write it the C
 * library looks at all of LibTorch's symbols for each frame, which makes a failing call take some
 * tens of milliseconds instead of a fraction of one. LibTorch takes a function that writes it
 * instead ({@code c10::SetStackTraceFetcher}); one of its own, which returns the thread's name,
 * will do.
 */
final class StackTraces {
  private static final String SET =
      "_ZN3c1020SetStackTraceFetcherESt8functionIFNSt7__cxx1112basic_stringIcSt11char_traitsIcE"
          + "SaIcEEEvEE";
  private static final String THREAD_NAME = "_ZN3c1013getThreadNameB5cxx11Ev";

  // libstdc++'s std::function: 16 bytes of the callee's, a function that copies and destroys
  // these, and one that calls it. The mark B5cxx11 says that it is this library.
  private static final long FUNCTION_BYTES = 32;
  private static final long MANAGER = 16;
  private static final long INVOKER = 24;

  private StackTraces() {}

  /** Does nothing where the build has no such functions. */
  static void leaveOut(SymbolLookup symbols) {
    Optional<MemorySegment> set = symbols.find(SET);
    Optional<MemorySegment> threadName = symbols.find(THREAD_NAME);
    // There is nothing to copy or destroy: any function will do that touches no memory.
    Optional<MemorySegment> nothing = Linker.nativeLinker().defaultLookup().find("getpid");
    if (set.isEmpty() || threadName.isEmpty() || nothing.isEmpty()) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment function = arena.allocate(FUNCTION_BYTES, ValueLayout.ADDRESS.byteAlignment());
      function.set(ValueLayout.ADDRESS, MANAGER, nothing.get());
      function.set(ValueLayout.ADDRESS, INVOKER, threadName.get());
      // A C++ object with a destructor is passed as the address of the caller's copy.
      Downcall.run(set.get(), FunctionDescriptor.ofVoid(ValueLayout.ADDRESS), function);
    }
  }
}
