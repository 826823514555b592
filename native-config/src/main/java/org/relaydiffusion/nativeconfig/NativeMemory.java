// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/** The C library's allocator, and where the memory of activations comes from. */
public final class NativeMemory {
  private static final FunctionDescriptor MALLOPT =
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
  private static final FunctionDescriptor MALLOC_TRIM =
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG);
  private static final int M_TRIM_THRESHOLD = -1;
  private static final int M_TOP_PAD = -2;
  private static final int M_MMAP_THRESHOLD = -3;
  private static final int MMAP_THRESHOLD_BYTES = 1 << 30;
  // The largest threshold that glibc takes before 2.36.
  private static final int OLD_MMAP_THRESHOLD_BYTES = 32 << 20;
  private static final int NEVER = -1;
  // What a thread's own heap can hold: one that has as much to spare is never unmapped.
  private static final int HEAP_BYTES = 64 << 20;
  private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

  private NativeMemory() {}

  /**
   * Has LibTorch ask for huge pages for tensors of 2 MiB or more, where the kernel has them: a
   * fault then fetches 512 pages instead of one. {@code THP_MEM_ALLOC_ENABLE} is the user's word
   * and stands. LibTorch reads it when it first allocates, so this comes before it is loaded.
   */
  static void askForHugePages() {
    if (Files.exists(HUGE_PAGES)) {
      NativeEnvironment.setUnlessSet("THP_MEM_ALLOC_ENABLE", "1");
    }
  }

  /** Has the C library keep what is freed and use it again. Does nothing where it is not glibc. */
  static void keep() {
    // glibc gives large blocks back at once, so each activation would be page-faulted in anew.
    Linker.nativeLinker().defaultLookup().find("mallopt").ifPresent(NativeMemory::keep);
  }

  private static void keep(MemorySegment mallopt) {
    if (!set(mallopt, M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)) {
      set(mallopt, M_MMAP_THRESHOLD, OLD_MMAP_THRESHOLD_BYTES);
    }
    set(mallopt, M_TRIM_THRESHOLD, NEVER);
    set(mallopt, M_TOP_PAD, HEAP_BYTES);
  }

  private static boolean set(MemorySegment mallopt, int option, int value) {
    return (int) Downcall.call(mallopt, MALLOPT, option, value) != 0;
  }

  /**
   * Gives the kernel back what was freed and is kept for later. What is used again after that has
   * to be fetched anew, so call it seldom: once where much is freed for good, as after the first
   * step of a training, or between long phases, whose blocks would otherwise find ever more places.
   * Does nothing where the C library is not glibc.
   */
  public static void trim() {
    Linker.nativeLinker()
        .defaultLookup()
        .find("malloc_trim")
        .ifPresent(trim -> Downcall.call(trim, MALLOC_TRIM, 0L));
  }
}
