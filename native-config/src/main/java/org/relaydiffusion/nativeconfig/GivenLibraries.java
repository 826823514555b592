// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.relaydiffusion.io.AtomicFile;

/**
 * A LibTorch selected by the user: an unpacked distribution, a Python installation or environment
 * with torch, or the folder of the libraries, whose names may end with a version.
 */
final class GivenLibraries {
  private static final List<String> BELOW = List.of("", "lib", "torch/lib", "libtorch/lib");
  private static final List<String> PACKAGES = List.of("site-packages", "dist-packages");

  private GivenLibraries() {}

  /**
   * Searches {@code root} and the usual subfolders of a LibTorch.
   *
   * @param by the variable or property that contains {@code root}, for messages
   * @throws NativeLibraryException in one line, if it is not found
   */
  static LibTorchSource.Given locate(String root, String by) {
    Path absolute;
    try {
      absolute = Path.of(root).toAbsolutePath().normalize();
    } catch (InvalidPathException e) {
      throw new NativeLibraryException(by + " is not a valid folder name", e);
    }
    if (!Files.isDirectory(absolute)) {
      throw new NativeLibraryException("%s=%s: there is no such folder".formatted(by, root));
    }
    Path folder =
        folders(absolute, GivenLibraries::list)
            .findFirst()
            .orElseThrow(() ->
                new NativeLibraryException(
                    "%s=%s: %s was not found in it, nor in its lib, torch/lib, libtorch/lib"
                            .formatted(by, root, System.mapLibraryName("torch_cpu"))
                        + " or lib/python3*/site-packages/torch/lib"));
    // Their own dependencies are beside them or on their run path.
    return new LibTorchSource.Given(
        folder,
        libraries(folder, "c10", "torch_cpu"),
        libraries(folder, "c10_cuda", "torch_cuda"),
        by);
  }

  /**
   * Returns the folders in and below {@code root} that contain the libraries, in order.
   *
   * @param list returns the files of a folder
   */
  static Stream<Path> folders(Path root, Function<Path, List<Path>> list) {
    return Stream.concat(BELOW.stream().map(root::resolve), packages(root, list))
        .map(Path::normalize)
        .filter(f -> library(f, "torch_cpu", list).isPresent());
  }

  private static Stream<Path> packages(Path environment, Function<Path, List<Path>> list) {
    Stream<Path> pythons =
        Stream.of("lib", "lib64")
            .flatMap(lib -> list.apply(environment.resolve(lib)).stream().sorted())
            .filter(f -> f.getFileName().toString().startsWith("python3"))
            .flatMap(python -> PACKAGES.stream().map(python::resolve));
    Stream<Path> windows = PACKAGES.stream().map(environment.resolve("Lib")::resolve);
    return Stream.concat(pythons, windows).map(f -> f.resolve("torch/lib"));
  }

  private static List<Path> libraries(Path folder, String... names) {
    return Stream.of(names)
        .flatMap(n -> library(folder, n, GivenLibraries::list).stream())
        .toList();
  }

  /**
   * Returns the library with the plain name, otherwise the one with the shortest versioned name.
   *
   * @param list returns the files of a folder
   */
  static Optional<Path> library(Path folder, String name, Function<Path, List<Path>> list) {
    String plain = System.mapLibraryName(name);
    Path exact = folder.resolve(plain);
    return Files.isRegularFile(exact)
        ? Optional.of(exact)
        : list.apply(folder).stream()
            .filter(f -> f.getFileName().toString().startsWith(plain + "."))
            .filter(Files::isRegularFile)
            .min(Comparator.comparingInt(f -> f.toString().length()));
  }

  private static List<Path> list(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    } catch (IOException e) {
      throw unreadable(folder, e);
    } catch (UncheckedIOException e) {
      throw unreadable(folder, Objects.requireNonNull(e.getCause()));
    }
  }

  private static NativeLibraryException unreadable(Path folder, IOException e) {
    return new NativeLibraryException(folder + " cannot be read: " + AtomicFile.reason(e), e);
  }
}
