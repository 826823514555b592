// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Examines the folder of unpacked libraries without creating it. */
final class CacheProbe {
  private CacheProbe() {}

  static DoctorReport.LibraryCache examine() {
    CacheFolder chosen;
    try {
      chosen = CacheFolder.choose();
    } catch (NativeLibraryException e) {
      return new DoctorReport.LibraryCache(
          Optional.empty(), String.valueOf(e.getMessage()), 0, List.of());
    }
    Path root = LibraryCache.root(chosen);
    Set<String> used = BundledLibraries.jars();
    List<DoctorReport.UnusedFolder> unused =
        folders(root).stream()
            .filter(f -> !used.contains(f.getFileName().toString()))
            .map(f -> new DoctorReport.UnusedFolder(f, bytes(f)))
            .toList();
    return new DoctorReport.LibraryCache(Optional.of(root), chosen.origin(), bytes(root), unused);
  }

  private static List<Path> folders(Path root) {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(root)) {
      return entries.filter(f -> Files.isDirectory(f, LinkOption.NOFOLLOW_LINKS)).sorted().toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }

  private static long bytes(Path folder) {
    if (!Files.isDirectory(folder)) {
      return 0;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(f -> Files.isRegularFile(f, LinkOption.NOFOLLOW_LINKS))
          .mapToLong(CacheProbe::size)
          .sum();
    } catch (IOException | UncheckedIOException e) {
      return 0;
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      return 0; // Deleted in the meantime.
    }
  }
}
