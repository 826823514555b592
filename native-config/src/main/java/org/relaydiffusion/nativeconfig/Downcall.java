// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;

/**
 * Calls C functions that are called a few times per process, for which performance is irrelevant.
 */
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

  /** Calls a function and returns its result, boxed. */
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
