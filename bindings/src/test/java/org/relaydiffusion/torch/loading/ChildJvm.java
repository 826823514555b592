// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.loading;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A Java process of its own, with a LibTorch of its own choice or none. */
final class ChildJvm {
  private static final int SECONDS = 120;

  private ChildJvm() {}

  /** The lines that {@code main} prints to either stream; it must end with 0. */
  static List<String> run(
      Path folder, Class<?> main, List<String> options, Map<String, String> environment)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx256m");
    command.addAll(options);
    // Surefire may hide the class path in a manifest; this is what it stands for.
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
            .replace(';', File.pathSeparatorChar);
    command.addAll(List.of("-cp", classPath, main.getName()));
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().keySet().removeAll(List.of("RDM_LIBTORCH", "TORCH_CPP_LOG_LEVEL"));
    builder.environment().putAll(environment);
    Path out = Files.createTempFile(folder, "out", ".txt");
    Process process = builder.redirectErrorStream(true).redirectOutput(out.toFile()).start();
    try {
      assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS)).as("end of %s", command).isTrue();
      List<String> lines = Files.readAllLines(out);
      assertThat(process.exitValue()).as("%s", lines).isZero();
      return lines;
    } finally {
      process.destroyForcibly();
    }
  }
}
