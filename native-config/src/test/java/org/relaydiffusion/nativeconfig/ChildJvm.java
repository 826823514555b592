// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A Java process of its own, for what a process can do only once: load a LibTorch. */
final class ChildJvm {
  private static final int SECONDS = 120;

  private ChildJvm() {}

  /** What a process left behind. */
  record Outcome(int code, String out, String err) {}

  /**
   * Runs {@code main} with this process's class path, without its choice of LibTorch.
   *
   * @param folder where the process runs and its output is kept
   */
  static Outcome run(
      Path folder,
      Class<?> main,
      List<String> jvmOptions,
      Map<String, String> environment,
      String... arguments)
      throws IOException, InterruptedException {
    return runOn(classPath(), folder, main, jvmOptions, environment, arguments);
  }

  /** As {@link #run}, with another class path. */
  static Outcome runOn(
      String classPath,
      Path folder,
      Class<?> main,
      List<String> jvmOptions,
      Map<String, String> environment,
      String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx256m");
    if (jvmOptions.stream().noneMatch(o -> o.contains("native-access"))) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(jvmOptions);
    command.addAll(List.of("-cp", classPath, main.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder
        .environment()
        .keySet()
        .removeAll(
            List.of(
                LibTorchSource.ENVIRONMENT_VARIABLE,
                "TORCH_CPP_LOG_LEVEL",
                "OMP_WAIT_POLICY",
                "GOMP_SPINCOUNT",
                "KMP_BLOCKTIME",
                "THP_MEM_ALLOC_ENABLE"));
    builder.environment().putAll(environment);
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IllegalStateException("no end after " + SECONDS + " s: " + command);
    }
    return new Outcome(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  // Surefire may hide the class path in a manifest; this is what it stands for.
  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
        .replace(';', File.pathSeparatorChar);
  }
}
