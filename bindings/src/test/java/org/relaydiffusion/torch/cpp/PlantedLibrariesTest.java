// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.nativeconfig.LibTorch;

/**
 * Libraries that another user put where they were once taken from do not come into the process:
 * below the folder for temporary files, below the current folder, below {@code ~/.javacpp}, and
 * with other content in our own cache.
 */
@EnabledOnOs(OS.LINUX)
class PlantedLibrariesTest {
  private static final List<String> JNI = List.of("libjnijavacpp.so", "libjnitorch.so");

  @TempDir private Path folder;

  @Test
  void noPlantedLibraryIsLoaded() throws Exception {
    Path home = Files.createDirectories(folder.resolve("home"));
    Path temporary = Files.createDirectories(folder.resolve("tmp"));
    Path current = Files.createDirectories(folder.resolve("current"));
    List<Path> formerly =
        List.of(
            home.resolve(".javacpp/cache"),
            temporary.resolve(".javacpp-" + System.getProperty("user.name") + "/cache"),
            current.resolve(".javacpp/cache"),
            current.resolve("?/.javacpp/cache"));
    for (Path cache : formerly) {
      plant(cache, "org/bytedeco/");
    }
    // In our own folder they differ from the jar, so they are written anew.
    Path ours = Files.createDirectories(home.resolve(".cache/rdm/libtorch"));
    plant(ours, "");
    SortedMap<Path, Long> before = files(formerly);
    Path real = folder.toRealPath();

    List<String> lines = run(home, temporary, current);

    assertThat(lines).contains("loaded");
    List<Path> mapped =
        lines.stream()
            .filter(l -> l.startsWith("/") && l.contains(".so"))
            .map(Path::of)
            .filter(p -> p.startsWith(real))
            .toList();
    assertThat(mapped)
        .isNotEmpty()
        .allSatisfy(p -> assertThat(p).startsWith(real.resolve("home/.cache/rdm/libtorch")))
        .extracting(p -> p.getFileName().toString())
        .containsAll(JNI)
        .containsAll(
            LibTorch.load().files().stream().map(f -> f.getFileName().toString()).toList());
    for (Path loaded : LibTorch.load().files()) {
      Path own = ours.resolve(jar(loaded)).resolve(loaded.getFileName());
      assertThat(Files.mismatch(loaded, own)).as("%s", own).isEqualTo(-1);
    }
    assertThat(files(formerly)).as("nothing is written there either").isEqualTo(before);
  }

  /** A harmless library under every name, in the folders that JavaCPP and the cache would use. */
  private static void plant(Path cache, String below) throws IOException {
    Path harmless = file("libquadmath.so.0");
    for (Path library : LibTorch.load().files()) {
      plant(harmless, cache, jar(library), below, library);
    }
    String pytorch = jar(file("libtorch_cpu.so"));
    for (String jni : JNI) {
      plant(harmless, cache, pytorch, below, Path.of(jni));
    }
  }

  private static void plant(Path harmless, Path cache, String jar, String below, Path library)
      throws IOException {
    String preset = jar.substring(0, jar.indexOf('-'));
    String platform = jar.substring(jar.indexOf("linux"));
    Path into =
        below.isEmpty()
            ? cache.resolve(jar)
            : cache.resolve(jar + ".jar/" + below + preset + "/" + platform);
    Files.createDirectories(into);
    Files.copy(harmless, into.resolve(library.getFileName()));
  }

  /** The name of the folder that a library was unpacked in, which is its jar's. */
  private static String jar(Path library) {
    return library.getName(library.getNameCount() - 2).toString();
  }

  private static Path file(String name) {
    return LibTorch.load().files().stream().filter(f -> f.endsWith(name)).findFirst().orElseThrow();
  }

  private static SortedMap<Path, Long> files(List<Path> folders) throws IOException {
    SortedMap<Path, Long> found = new TreeMap<>();
    for (Path at : folders) {
      try (Stream<Path> all = Files.walk(at)) {
        for (Path file : all.toList()) {
          found.put(file, Files.isRegularFile(file) ? Files.size(file) : -1);
        }
      }
    }
    return found;
  }

  private List<String> run(Path home, Path temporary, Path current)
      throws IOException, InterruptedException {
    return CppLoadTest.run(
        current,
        List.of("-Duser.home=" + home, "-Djava.io.tmpdir=" + temporary),
        Map.of("HOME", home.toString(), "XDG_CACHE_HOME", "", "RDM_CACHE", ""),
        "ours",
        "/");
  }
}
