// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What loading LibTorch may change in this process. An embedding program chooses with {@link
 * LibTorch#load(Settings)} or {@link LibTorch#configure}, before anything else uses LibTorch;
 * otherwise {@link #DEFAULT} holds. Environment variables that the user has set win over each
 * change.
 *
 * @param changes the changes that are made, and no others
 */
public record Settings(Set<Change> changes) {
  /** One change; each says how far it reaches. */
  public enum Change {
    /**
     * OpenBLAS computes on one thread; LibTorch still spreads its own operators over several.
     * OpenBLAS's thread pool fights OpenMP's: with both, a forward pass takes twice as long.
     * Reaches whoever else in the process calls the same OpenBLAS.
     */
    ONE_BLAS_THREAD,

    /**
     * LibTorch spreads an operator over no more threads than the cores that Java may use, where a
     * container has fewer than the machine. {@code OMP_NUM_THREADS} wins up to {@link
     * NativeThreads#MOST}. Reaches LibTorch and OpenMP.
     */
    USABLE_CORES,

    /**
     * What LibTorch says about a call that fails becomes the message of the exception, instead of a
     * line with a C++ stack trace on the standard error stream; its other errors are not printed
     * either. {@code TORCH_CPP_LOG_LEVEL} wins: what it asks for is printed as well. Reaches
     * LibTorch; on builds that only print the reason (2.10), a stream buffer stands in front of
     * {@code std::cerr} that passes on whatever is not LibTorch's, and is taken away by a shutdown
     * hook.
     */
    CAPTURE_ERRORS,

    /**
     * OpenMP's threads sleep after some ten microseconds without work, so that others can have the
     * cores. Sets {@code GOMP_SPINCOUNT} and {@code KMP_BLOCKTIME} in the process's environment,
     * unless one of these or {@code OMP_WAIT_POLICY} is set; reaches every user of the same OpenMP.
     */
    SHORT_WAITS,

    /**
     * LibTorch asks for huge pages for tensors of 2 MiB or more. Sets {@code THP_MEM_ALLOC_ENABLE}
     * in the process's environment, unless it is set.
     */
    HUGE_PAGES,

    /**
     * The C library keeps freed memory for later instead of giving it back to the kernel, also in
     * blocks up to 1 GiB ({@code mallopt}; glibc only). Reaches everything in the process that
     * calls {@code malloc}.
     */
    KEEP_MEMORY
  }

  /** Nothing is changed: OpenBLAS has its own threads, and LibTorch prints its errors itself. */
  public static final Settings NONE = new Settings(Set.of());

  /**
   * What changes LibTorch and the libraries under it: {@link Change#ONE_BLAS_THREAD}, {@link
   * Change#USABLE_CORES} and {@link Change#CAPTURE_ERRORS}, whose stream buffer for {@code
   * std::cerr} is the only other change of the process. Holds where nothing was chosen.
   */
  public static final Settings DEFAULT =
      of(Change.ONE_BLAS_THREAD, Change.USABLE_CORES, Change.CAPTURE_ERRORS);

  /** Every change: for a program whose process is there for LibTorch, as {@code rdm}'s is. */
  public static final Settings APPLICATION = of(Change.values());

  /** Keeps a copy of the changes, in their order of declaration. */
  public Settings {
    EnumSet<Change> ordered = EnumSet.noneOf(Change.class);
    ordered.addAll(changes);
    changes = Collections.unmodifiableSet(ordered);
  }

  /** These changes and no others. */
  public static Settings of(Change... changes) {
    return new Settings(Set.copyOf(List.of(changes)));
  }

  /** These settings and further changes. */
  public Settings with(Change... further) {
    return changed(Arrays.asList(further), List.of());
  }

  /** These settings less some changes. */
  public Settings without(Change... less) {
    return changed(List.of(), Arrays.asList(less));
  }

  /** Whether a change is made. */
  public boolean has(Change change) {
    return changes.contains(change);
  }

  /** The changes' names, as in {@code [ONE_BLAS_THREAD, USABLE_CORES]}. */
  @Override
  public String toString() {
    return changes.toString();
  }

  private Settings changed(Collection<Change> further, Collection<Change> less) {
    EnumSet<Change> all = EnumSet.noneOf(Change.class);
    all.addAll(changes);
    all.addAll(further);
    all.removeAll(less);
    return new Settings(all);
  }
}
