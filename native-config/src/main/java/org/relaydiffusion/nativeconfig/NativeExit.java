package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * Ends the process while LibTorch may still compute on some thread.
 *
 * <p>{@link System#exit} and {@link Runtime#halt} both end in C's {@code exit}, which destroys the
 * static objects of every loaded library; a thread that is inside LibTorch or OpenMP at that moment
 * then works with what is gone, and the process may crash instead of answering its exit code.
 * {@code _exit} destroys nothing: the kernel takes everything back at once.
 */
public final class NativeExit {
  private static final FunctionDescriptor EXIT = FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT);

  private NativeExit() {}

  /**
   * Ends the process. No shutdown hook runs, no file is deleted on exit, and what is buffered in
   * Java's streams is lost: the caller flushes them.
   *
   * @param code the exit code
   */
  public static void now(int code) {
    withoutFlushing(code);
  }

  /**
   * Ends the process without flushing anything: for where nobody reads standard output or error, so
   * that to flush them would wait without an end.
   *
   * @param code the exit code
   */
  public static void withoutFlushing(int code) {
    Optional<MemorySegment> exit = Linker.nativeLinker().defaultLookup().find("_exit");
    try {
      exit.ifPresent(function -> Downcall.run(function, EXIT, code));
    } finally {
      // Where the C library has no such function, or Java may not call it.
      Runtime.getRuntime().halt(code);
    }
  }
}
