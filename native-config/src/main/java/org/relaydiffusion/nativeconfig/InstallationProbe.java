// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Tells what a LibTorch is from the files beside it, which are read as text; nothing is run. */
final class InstallationProbe {
  private static final int LONGEST = 1 << 16;
  // In torch/version.py: __version__ = '2.10.0+cu128', cuda: Optional[str] = '12.8' or None.
  private static final String VALUE = "\\b[^=\\n]*=\\s*['\"]([^'\"\\n]{1,80})['\"]";
  private static final Pattern PYTHON_VERSION = Pattern.compile("(?m)^__version__" + VALUE);
  private static final Pattern PYTHON_CUDA = Pattern.compile("(?m)^cuda" + VALUE);
  private static final Pattern CMAKE_VERSION =
      Pattern.compile("PACKAGE_VERSION\\s+\"([^\"\\n]{1,80})\"");
  private static final Pattern CONDA_PACKAGE = Pattern.compile("libtorch-(\\d[^-]*)-(.*)\\.json");
  private static final Pattern CONDA_CUDA = Pattern.compile("cuda_?(\\d+)(\\d)(?!\\d)");
  private static final Pattern LOCAL_CUDA = Pattern.compile("\\+cu(\\d+)(\\d)$");
  private static final Pattern FILE_VERSION = Pattern.compile(".+\\.so\\.(\\d+(\\.\\d+)+)");
  private static final Pattern NUMBERS =
      Pattern.compile("(\\d{1,4})\\.(\\d{1,4})(?:\\.(\\d{1,6}))?.*");

  private InstallationProbe() {}

  /**
   * Examines a LibTorch.
   *
   * @param folder with {@code libtorch_cpu}
   * @param used the folder of the LibTorch of this process, if there is one
   * @param driver the newest CUDA version of the driver, if there is one
   */
  static DoctorReport.Installation examine(
      Path folder, Optional<Path> used, Optional<String> driver) {
    Optional<String> version = version(folder);
    boolean withCuda = has(folder, "torch_cuda");
    Optional<String> cuda = withCuda ? cuda(folder, version) : Optional.empty();
    return new DoctorReport.Installation(
        folder,
        version,
        withCuda,
        cuda,
        whyUnusable(version),
        whyNoGpu(folder, withCuda, cuda, driver),
        used.filter(u -> isSame(u, folder)).isPresent());
  }

  private static Optional<String> version(Path folder) {
    Path above = above(folder);
    return found(PYTHON_VERSION, above.resolve("version.py"))
        .or(() -> text(above.resolve("build-version")).lines().findFirst().map(String::strip))
        .or(() -> found(CMAKE_VERSION, above.resolve("share/cmake/Torch/TorchConfigVersion.cmake")))
        .or(() -> conda(above).map(m -> m.group(1)))
        .or(() -> fileVersion(folder))
        .filter(v -> NUMBERS.matcher(v).matches());
  }

  private static Optional<String> cuda(Path folder, Optional<String> version) {
    Path above = above(folder);
    return found(PYTHON_CUDA, above.resolve("version.py"))
        .or(() -> version.flatMap(v -> majorAndMinor(LOCAL_CUDA, v)))
        .or(() -> conda(above).flatMap(m -> majorAndMinor(CONDA_CUDA, m.group(2))));
  }

  /** CUDA's version from digits such as {@code 128}, of which the last one is the minor version. */
  private static Optional<String> majorAndMinor(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find()
        ? Optional.of(matcher.group(1) + "." + matcher.group(2))
        : Optional.empty();
  }

  /** conda's list of the installed packages has a file for each, named after its build. */
  private static Optional<Matcher> conda(Path above) {
    return names(above.resolve("conda-meta")).stream()
        .map(CONDA_PACKAGE::matcher)
        .filter(Matcher::matches)
        .findFirst();
  }

  /** System packages have it in the names of the files. */
  private static Optional<String> fileVersion(Path folder) {
    String library = System.mapLibraryName("torch_cpu");
    return names(folder).stream()
        .filter(name -> name.startsWith(library))
        .map(FILE_VERSION::matcher)
        .filter(Matcher::matches)
        .map(m -> m.group(1))
        .max(Comparator.comparingInt(String::length));
  }

  private static Optional<String> whyUnusable(Optional<String> version) {
    return version
        .map(NUMBERS::matcher)
        .filter(Matcher::matches)
        .map(m ->
            new LibTorch.Version(
                Integer.parseInt(m.group(1)),
                Integer.parseInt(m.group(2)),
                m.group(3) == null ? 0 : Integer.parseInt(m.group(3))))
        .filter(v -> v.compareTo(LibTorch.OLDEST) < 0)
        .map(_ -> "%s or newer is needed".formatted(LibTorch.OLDEST));
  }

  private static Optional<String> whyNoGpu(
      Path folder, boolean withCuda, Optional<String> cuda, Optional<String> driver) {
    if (!withCuda) {
      return Optional.of(
          has(folder, "torch_hip") ? "it is built for ROCm" : "it has no CUDA in it");
    }
    // Builds for a newer minor version run too.
    return cuda.flatMap(built ->
        driver
            .filter(d -> major(d) < major(built))
            .map(d -> "it is built for CUDA %s, but the driver is for %s".formatted(built, d)));
  }

  private static boolean has(Path folder, String library) {
    return GivenLibraries.library(folder, library, InstallationSearch::list).isPresent();
  }

  private static int major(String version) {
    Matcher matcher = NUMBERS.matcher(version);
    return matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
  }

  private static boolean isSame(Path a, Path b) {
    try {
      return Files.isSameFile(a, b);
    } catch (IOException _) {
      return false;
    }
  }

  private static Path above(Path folder) {
    Path parent = folder.getParent();
    return parent == null ? folder : parent;
  }

  private static Optional<String> found(Pattern pattern, Path file) {
    Matcher matcher = pattern.matcher(text(file));
    return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  private static String text(Path file) {
    if (!Files.isRegularFile(file)) {
      return "";
    }
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(LONGEST), StandardCharsets.UTF_8);
    } catch (IOException _) {
      return "";
    }
  }

  private static List<String> names(Path folder) {
    return InstallationSearch.list(folder).stream().map(f -> f.getFileName().toString()).toList();
  }
}
