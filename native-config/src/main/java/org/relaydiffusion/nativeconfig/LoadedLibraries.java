// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Detects libraries that are already mapped: two LibTorch builds in one process corrupt each other.
 */
final class LoadedLibraries {
  private static final Path MAPS = Path.of("/proc/self/maps");

  private LoadedLibraries() {}

  /**
   * Rejects loading if a LibTorch other than {@code source}'s files is in the process.
   *
   * @throws NativeLibraryException naming both
   */
  static void refuseSecond(LibTorchSource source) {
    for (Path mapped : torchLibraries()) {
      boolean ours = source.files().stream().anyMatch(f -> same(f, mapped));
      if (!ours) {
        throw new NativeLibraryException(
            "another LibTorch is already loaded in this process (%s), which cannot also load %s"
                .formatted(mapped, source.origin()));
      }
    }
  }

  /**
   * Returns the LibTorch libraries that are currently mapped into this process; empty if this
   * cannot be determined.
   */
  static List<Path> torchLibraries() {
    return mapped("lib(torch_cpu|torch|c10)\\.so[^/]*");
  }

  /** Returns the BLAS that is mapped into this process, if this can be determined. */
  static Optional<Path> blas() {
    return mapped("lib(openblas|blas|mkl_rt|mkl_core|blis|flexiblas)[^/]*\\.so[^/]*").stream()
        .findFirst();
  }

  private static List<Path> mapped(String fileName) {
    if (!Files.isReadable(MAPS)) {
      return List.of();
    }
    try (Stream<String> lines = Files.lines(MAPS)) {
      return lines
          .map(l -> l.indexOf('/') < 0 ? "" : l.substring(l.indexOf('/')))
          .filter(f -> f.substring(f.lastIndexOf('/') + 1).matches(fileName))
          .distinct()
          .map(Path::of)
          .toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }

  private static boolean same(Path a, Path b) {
    try {
      return Objects.equals(a.toRealPath(), b.toRealPath());
    } catch (IOException e) {
      return a.equals(b);
    }
  }
}
