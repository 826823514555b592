// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.nativeconfig.LibTorch;

/** JavaCPP's classes bring nothing into the process but their own libraries. */
@EnabledOnOs(OS.LINUX)
class CppLoadTest {
  @TempDir private Path folder;

  /** Libraries of the system, as it were: JavaCPP looks for some under these names. */
  private Path systemFolder() throws IOException {
    Path system = Files.createDirectory(folder.resolve("system"));
    Path any = library("libquadmath.so.0");
    for (String name : List.of("torch_cuda", "c10_cuda", "nvToolsExt64_1", "cudart")) {
      Files.copy(any, system.resolve(System.mapLibraryName(name)));
    }
    return system;
  }

  private static Path library(String name) {
    return LibTorch.load().files().stream().filter(f -> f.endsWith(name)).findFirst().orElseThrow();
  }

  @Test
  void nothingOfTheSystemsIsLoaded() throws Exception {
    Path system = systemFolder();
    List<String> options = List.of("-Djava.library.path=" + system);
    assertThat(run(options, Map.of(), "ours", system.toString())).containsExactly("loaded");
    // JavaCPP by itself does take them: so the test would see it.
    assertThat(run(options, Map.of(), "javacpp", system.toString()))
        .startsWith("loaded")
        .contains("libtorch_cuda.so", "libc10_cuda.so");
  }

  @Test
  void anotherLibTorchIsRefusedInOneLine() throws Exception {
    Path given = Files.createDirectory(folder.resolve("given"));
    for (String name : List.of("libc10.so", "libtorch_cpu.so")) {
      Files.createSymbolicLink(given.resolve(name), library(name));
    }
    String dependencies =
        library("libopenblas.so.0").getParent() + ":" + library("libgomp.so.1").getParent();
    assertThat(
            run(
                List.of(),
                Map.of("RDM_LIBTORCH", given.toString(), "LD_LIBRARY_PATH", dependencies),
                "ours",
                "/nothing/here"))
        .containsExactly(
            "NativeLibraryException: process groups over Gloo require the bundled LibTorch, not"
                + " RDM_LIBTORCH=%s:".formatted(given)
                + " unset it to train with several processes on the CPU");
    // By hand, or the folder's deletion would warn of links that lead out of it.
    Files.delete(given.resolve("libc10.so"));
    Files.delete(given.resolve("libtorch_cpu.so"));
  }

  private List<String> run(
      List<String> options, Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    return run(folder, options, environment, arguments);
  }

  /** The lines of a {@link CppLoadMain} that runs in {@code folder}. */
  static List<String> run(
      Path folder, List<String> options, Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx256m", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(options);
    command.addAll(List.of("-cp", classPath(), CppLoadMain.class.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().remove("RDM_LIBTORCH");
    builder.environment().putAll(environment);
    Path out = folder.resolve("out.txt");
    Process process = builder.redirectErrorStream(true).redirectOutput(out.toFile()).start();
    try {
      assertThat(process.waitFor(90, TimeUnit.SECONDS)).isTrue();
      return Files.readAllLines(out);
    } finally {
      process.destroyForcibly();
    }
  }

  // Surefire may hide the class path in a manifest; this is what it stands for.
  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
        .replace(';', File.pathSeparatorChar);
  }
}
