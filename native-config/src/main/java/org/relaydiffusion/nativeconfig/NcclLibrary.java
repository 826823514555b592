// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * NCCL, NVIDIA's library for exchanging tensors between GPUs. Its functions are searched for where
 * LibTorch itself would find them, so that one process has one NCCL:
 *
 * <ol>
 *   <li>in the loaded LibTorch, which some builds contain it in and others depend on it;
 *   <li>as {@code libnccl.so.2} beside {@code libtorch_cuda.so};
 *   <li>in {@code nvidia/nccl/lib} of the same Python packages;
 *   <li>on the system's library path.
 * </ol>
 */
public final class NcclLibrary {
  private static final String FILE = "libnccl.so.2";
  private static final String KNOWN_FUNCTION = "ncclGetVersion";

  private static @Nullable NcclLibrary found;

  private final SymbolLookup symbols;
  private final String origin;

  private NcclLibrary(SymbolLookup symbols, String origin) {
    this.symbols = symbols;
    this.origin = origin;
  }

  /**
   * Finds it; later calls return the same one.
   *
   * @throws NativeLibraryException if LibTorch has no CUDA, or NCCL is in none of the places
   */
  public static synchronized NcclLibrary load() {
    if (found == null) {
      found = search(LibTorch.load());
    }
    return found;
  }

  private static NcclLibrary search(LibTorch library) {
    if (!library.hasCuda()) {
      throw new NativeLibraryException("NCCL cannot be used: " + library.whyNoCuda().orElse(""));
    }
    if (library.find(KNOWN_FUNCTION).isPresent()) {
      return new NcclLibrary(library.symbols(), "LibTorch's own");
    }
    List<Path> candidates = candidates(library.files().getLast());
    for (Path candidate : candidates) {
      if (Files.isRegularFile(candidate)) {
        return new NcclLibrary(DynamicLoader.open(candidate), candidate.toString());
      }
    }
    try {
      return new NcclLibrary(SymbolLookup.libraryLookup(FILE, Arena.global()), FILE);
    } catch (IllegalArgumentException e) {
      throw new NativeLibraryException(
          "NCCL cannot be used: %s is neither %s nor on the library path (LD_LIBRARY_PATH)"
              .formatted(
                  FILE, String.join(" nor ", candidates.stream().map(Path::toString).toList())),
          e);
    }
  }

  /**
   * Returns where the file can be.
   *
   * @param torch the library of LibTorch's CUDA half
   */
  static List<Path> candidates(Path torch) {
    Path folder = torch.toAbsolutePath().normalize().getParent();
    // .../site-packages/torch/lib/libtorch_cuda.so
    Optional<Path> packages = Optional.ofNullable(folder).map(Path::getParent).map(Path::getParent);
    return Stream.concat(
            Optional.ofNullable(folder).stream(),
            packages.map(p -> p.resolve("nvidia/nccl/lib")).stream())
        .map(f -> f.resolve(FILE))
        .toList();
  }

  /** Returns the function {@code name}, if this version has it. */
  public Optional<MemorySegment> find(String name) {
    return symbols.find(name);
  }

  /**
   * Returns the function {@code name}.
   *
   * @throws NativeLibraryException naming the function, if this version does not have it
   */
  public MemorySegment function(String name) {
    return find(name)
        .orElseThrow(() ->
            new NativeLibraryException(
                "NCCL (%s) lacks the function %s: NCCL 2.18 or newer is needed"
                    .formatted(origin, name)));
  }

  /** Returns where it was found, for messages. */
  public String origin() {
    return origin;
  }
}
