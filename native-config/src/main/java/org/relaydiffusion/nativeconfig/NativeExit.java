// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * Ends the process while LibTorch may be computing on some thread.
 *
 * <p>{@link System#exit} and {@link Runtime#halt} both end in C's {@code exit}, which destroys the
 * static objects of every loaded library; a thread that is inside LibTorch or OpenMP at that moment
 * then uses destroyed objects, and the process may crash instead of returning its exit code. {@code
 * _exit} destroys nothing: the kernel releases everything.
 */
public final class NativeExit {
  private static final FunctionDescriptor EXIT = FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT);

  private NativeExit() {}

  /**
   * Ends the process. Shutdown hooks are not run, files are not deleted on exit, and data buffered
   * in Java streams is lost: the caller must flush them.
   *
   * @param code the exit code
   */
  public static void now(int code) {
    withoutFlushing(code);
  }

  /**
   * Ends the process without flushing anything, for when standard output or error is not being
   * read, so that flushing would block indefinitely.
   *
   * @param code the exit code
   */
  public static void withoutFlushing(int code) {
    Optional<MemorySegment> exit = Linker.nativeLinker().defaultLookup().find("_exit");
    try {
      exit.ifPresent(function -> Downcall.run(function, EXIT, code));
    } finally {
      // If the C library has no such function, or Java may not call it.
      Runtime.getRuntime().halt(code);
    }
  }
}
