package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;

/** Calls of C functions that happen a few times a process, where speed is no matter. */
final class Downcall {
  private Downcall() {}

  /** Calls a function that returns nothing. */
  static void run(MemorySegment function, FunctionDescriptor descriptor, Object... arguments) {
    try {
      Linker.nativeLinker().downcallHandle(function, descriptor).invokeWithArguments(arguments);
    } catch (Error | IllegalCallerException e) {
      throw e;
    } catch (Throwable e) {
      throw new NativeLibraryException("a call into the native libraries failed: " + e, e);
    }
  }

  /** Calls a function and returns what it returned, boxed. */
  static Object call(MemorySegment function, FunctionDescriptor descriptor, Object... arguments) {
    try {
      return Linker.nativeLinker()
          .downcallHandle(function, descriptor)
          .invokeWithArguments(arguments);
    } catch (Error | IllegalCallerException e) {
      throw e;
    } catch (Throwable e) {
      throw new NativeLibraryException("a call into the native libraries failed: " + e, e);
    }
  }
}
