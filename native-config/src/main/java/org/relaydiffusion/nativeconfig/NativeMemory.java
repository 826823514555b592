package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;

/** The C library's allocator, set so that the memory of activations is kept and used again. */
public final class NativeMemory {
  private static final FunctionDescriptor MALLOPT =
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
  private static final FunctionDescriptor MALLOC_TRIM =
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG);
  private static final int M_TRIM_THRESHOLD = -1;
  private static final int M_TOP_PAD = -2;
  private static final int M_MMAP_THRESHOLD = -3;
  // The largest threshold that glibc takes.
  private static final int MMAP_THRESHOLD_BYTES = 32 << 20;
  private static final int KEEP_BYTES = Integer.MAX_VALUE;

  private NativeMemory() {}

  /** Does nothing where the C library is not glibc. */
  static void tune() {
    // glibc gives large blocks back at once, so each activation would be page-faulted in anew.
    Linker.nativeLinker()
        .defaultLookup()
        .find("mallopt")
        .ifPresent(mallopt -> {
          Downcall.call(mallopt, MALLOPT, M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
          Downcall.call(mallopt, MALLOPT, M_TRIM_THRESHOLD, KEEP_BYTES);
          Downcall.call(mallopt, MALLOPT, M_TOP_PAD, MMAP_THRESHOLD_BYTES);
        });
  }

  /**
   * Gives the kernel back what was freed and is kept for later. What is used again after that has
   * to be fetched anew, so call it once where much is freed for good, as after the first step of a
   * training. Does nothing where the C library is not glibc.
   */
  public static void trim() {
    Linker.nativeLinker()
        .defaultLookup()
        .find("malloc_trim")
        .ifPresent(trim -> Downcall.call(trim, MALLOC_TRIM, 0L));
  }
}
