// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/** How many threads one operator runs on, and with which BLAS threads. */
public final class NativeThreads {
  /**
   * The largest number of threads that is taken: GNU's OpenMP ends the process, or overruns the
   * stack, where it cannot have as many as it was told to.
   */
  public static final int MOST = 1024;

  private static final FunctionDescriptor GET = FunctionDescriptor.of(ValueLayout.JAVA_INT);
  private static final FunctionDescriptor SET = FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT);

  /** On Linux and macOS, and on Windows. */
  private static final List<String> GETTERS =
      List.of("_ZN2at15get_num_threadsEv", "?get_num_threads@at@@YAHXZ");

  private static final List<String> SETTERS =
      List.of("_ZN2at15set_num_threadsEi", "?set_num_threads@at@@YAXH@Z");

  private NativeThreads() {}

  /**
   * The threads that an operator called on this thread is spread over: {@code OMP_NUM_THREADS}
   * where that is at most {@link #MOST}, or the cores that Java may use (a container's quota
   * counts), until {@link #setThreads} says otherwise.
   *
   * @throws NativeLibraryException if LibTorch cannot be loaded
   */
  public static int threads() {
    return threads(LibTorch.load());
  }

  /**
   * Sets the threads that an operator is spread over, for this thread and for every thread that has
   * not called LibTorch yet. Results may differ in their last bits between counts.
   *
   * @throws OptionException if {@code threads} is not 1 to {@link #MOST}
   * @throws NativeLibraryException if LibTorch cannot be loaded
   */
  public static void setThreads(int threads) {
    check(threads);
    setThreads(LibTorch.load(), threads);
  }

  /**
   * Accepts a number of threads.
   *
   * @throws OptionException if it is not 1 to {@link #MOST}
   */
  public static void check(int threads) {
    if (threads < 1 || threads > MOST) {
      throw new OptionException("--threads: expected 1 to %s, found %s".formatted(MOST, threads));
    }
  }

  /**
   * From now on, an operator called on this thread runs on it alone: for threads that share work by
   * themselves. Changes no other thread, and nothing where LibTorch does not use OpenMP.
   *
   * @throws NativeLibraryException if LibTorch cannot be loaded
   */
  public static void useThisThreadAlone() {
    LibTorch library = LibTorch.load();
    // The first call of LibTorch on a thread sets the thread's count, so it must come before.
    threads(library);
    library.find("omp_set_num_threads").ifPresent(f -> Downcall.run(f, SET, 1));
  }

  /** OpenBLAS's own pool fights OpenMP's: with both, a forward pass takes twice as long. */
  static void useOneBlasThread(LibTorch library) {
    library.find("openblas_set_num_threads").ifPresent(f -> Downcall.run(f, SET, 1));
  }

  /** LibTorch counts the machine's cores, also where a container may use only a few of them. */
  static void useUsableCores(LibTorch library) {
    if (first(library, GETTERS).isEmpty() || first(library, SETTERS).isEmpty()) {
      return;
    }
    int cores = Runtime.getRuntime().availableProcessors();
    int threads = threads(library);
    boolean isAsked = System.getenv("OMP_NUM_THREADS") != null;
    if (threads > MOST || (!isAsked && cores < threads)) {
      setThreads(library, cores);
    }
  }

  static int threads(LibTorch library) {
    return (int) Downcall.call(required(library, GETTERS), GET);
  }

  private static void setThreads(LibTorch library, int threads) {
    Downcall.run(required(library, SETTERS), SET, threads);
  }

  private static MemorySegment required(LibTorch library, List<String> names) {
    return first(library, names).orElseGet(() -> library.function(names.getFirst()));
  }

  private static Optional<MemorySegment> first(LibTorch library, List<String> names) {
    return names.stream().map(library::find).flatMap(Optional::stream).findFirst();
  }
}
