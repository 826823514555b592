// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * Looks for LibTorch where it is usually installed: in Python environments, conda environments,
 * unpacked distributions and system folders. Only names of files are looked at; nothing is run.
 *
 * @param environment the variables of the process
 * @param root the root of the file system, for the folders with fixed names
 * @param home the user's home
 * @param current the current folder
 */
record InstallationSearch(Map<String, String> environment, Path root, Path home, Path current) {
  private static final List<String> CONDA =
      List.of("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", "conda");

  /** The search of this process. */
  static InstallationSearch ofThisProcess() {
    return new InstallationSearch(
        System.getenv(),
        Path.of("/"),
        Path.of(System.getProperty("user.home", "")),
        Path.of("").toAbsolutePath());
  }

  /** Returns the folders with {@code libtorch_cpu}, each once, in the order of the search. */
  List<Path> folders() {
    SequencedMap<Path, Path> found = new LinkedHashMap<>();
    for (Path place : places()) {
      for (Path folder : within(place)) {
        // The same one is often reached over a link, such as lib64, or the link of an environment.
        found.putIfAbsent(real(folder), folder);
      }
    }
    return List.copyOf(found.values());
  }

  private List<Path> places() {
    List<Path> places = new ArrayList<>();
    variable(LibTorchSource.ENVIRONMENT_VARIABLE).forEach(places::add);
    variable("LD_LIBRARY_PATH").forEach(places::add);
    variable("VIRTUAL_ENV").forEach(places::add);
    variable("CONDA_PREFIX").forEach(places::add);
    variable("PYTHONPATH").forEach(places::add);
    variable("PATH").forEach(folder -> places.addAll(environments(folder)));
    for (String name : List.of(".venv", "venv", "env")) {
      places.add(current.resolve(name));
      places.add(home.resolve(name));
    }
    places.add(home.resolve(".local"));
    places.addAll(list(pyenv().resolve("versions")));
    conda()
        .forEach(base -> {
          places.add(base);
          places.addAll(list(base.resolve("envs")));
        });
    variable("LIBTORCH").forEach(places::add);
    for (Path folder : List.of(current, home, root.resolve("opt"), root.resolve("usr/local"))) {
      list(folder).stream()
          .filter(f -> f.getFileName().toString().startsWith("libtorch"))
          .forEach(places::add);
    }
    for (String name : List.of("opt/venv", "opt/pytorch", "usr/local", "usr")) {
      places.add(root.resolve(name));
    }
    places.add(root.resolve("usr/lib64"));
    list(root.resolve("usr/lib")).stream()
        .filter(f -> f.getFileName().toString().endsWith("-linux-gnu"))
        .forEach(places::add);
    return places;
  }

  /** Returns the environments of the Pythons in a folder, {@code bin} as a rule. */
  private static List<Path> environments(Path folder) {
    List<Path> environments = new ArrayList<>();
    for (Path file : list(folder)) {
      if (file.getFileName().toString().matches("python(3(\\.\\d+)?)?(\\.exe)?")
          && Files.isExecutable(file)) {
        // First that of the link, which has packages of its own in a virtual environment.
        above(file).ifPresent(environments::add);
        above(real(file)).ifPresent(environments::add);
      }
    }
    return environments;
  }

  private static Optional<Path> above(Path program) {
    Path bin = program.getParent();
    return bin == null
        ? Optional.empty()
        : Optional.ofNullable(program.toString().endsWith(".exe") ? bin : bin.getParent());
  }

  private Path pyenv() {
    return variable("PYENV_ROOT").stream().findFirst().orElse(home.resolve(".pyenv"));
  }

  private List<Path> conda() {
    List<Path> bases = new ArrayList<>();
    variable("CONDA_EXE").stream().flatMap(f -> above(f).stream()).forEach(bases::add);
    variable("MAMBA_ROOT_PREFIX").forEach(bases::add);
    for (String name : CONDA) {
      bases.add(home.resolve(name));
      bases.add(root.resolve("opt").resolve(name));
    }
    return bases;
  }

  private List<Path> variable(String name) {
    List<Path> paths = new ArrayList<>();
    for (String part : environment.getOrDefault(name, "").split(File.pathSeparator, -1)) {
      if (!part.isBlank()) {
        try {
          paths.add(current.resolve(part));
        } catch (InvalidPathException _) {
          // It names no folder, so there is nothing in it.
        }
      }
    }
    return paths;
  }

  private static List<Path> within(Path place) {
    // What cannot be read, such as another user's folder, hides nothing that lies beside it.
    return GivenLibraries.folders(place, InstallationSearch::list).toList();
  }

  /** Returns the files of a folder, none of one that cannot be read. */
  static List<Path> list(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    } catch (IOException | UncheckedIOException _) {
      return List.of();
    }
  }

  private static Path real(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException _) {
      return Files.exists(path, LinkOption.NOFOLLOW_LINKS) ? path.toAbsolutePath() : path;
    }
  }
}
