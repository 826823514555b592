// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.launch.Rdm;

/** The command in a process of its own, with the tests' class path. */
final class RdmProcess {
  /** How a process ended, with what it wrote. */
  record Ended(int code, String out, String err) {}

  private final List<String> flags;
  private final Map<String, String> environment;

  /**
   * Processes of one kind.
   *
   * @param flags for the JVM
   * @param environment variables beside those of this process
   */
  RdmProcess(List<String> flags, Map<String, String> environment) {
    this.flags = List.copyOf(flags);
    this.environment = Map.copyOf(environment);
  }

  /** A process that is yet to be started. */
  ProcessBuilder builder(String... arguments) {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.add("--enable-native-access=ALL-UNNAMED");
    line.add("-XX:+UseSerialGC");
    line.addAll(flags);
    line.add("--class-path");
    line.add(System.getProperty("java.class.path"));
    line.add(Rdm.class.getName());
    line.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.environment().putAll(environment);
    builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
    return builder;
  }

  /** Runs a process to its end. A stream that was redirected already is not read. */
  Ended run(ProcessBuilder builder) throws IOException, InterruptedException {
    Path out = Files.createTempFile("rdm", ".out");
    Path err = Files.createTempFile("rdm", ".err");
    try {
      if (builder.redirectOutput().equals(ProcessBuilder.Redirect.PIPE)) {
        builder.redirectOutput(out.toFile());
      }
      if (builder.redirectError().equals(ProcessBuilder.Redirect.PIPE)) {
        builder.redirectError(err.toFile());
      }
      int code = builder.start().waitFor();
      return new Ended(code, Files.readString(out), Files.readString(err));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  /** Runs a process to its end. */
  Ended run(String... arguments) throws IOException, InterruptedException {
    return run(builder(arguments));
  }
}
