// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Java processes that run one scenario of a main class together, a rank each. */
final class Peers {
  private static final int SECONDS = 150;

  private Peers() {}

  /** What a process left behind. */
  record Outcome(int code, List<String> out, String err) {}

  /**
   * Runs the scenario in two processes and waits for their ends.
   *
   * @param folder where their output is kept
   */
  static List<Outcome> run(Path folder, Class<?> main, String scenario)
      throws IOException, InterruptedException {
    return run(folder, main, scenario, 2, 0, 1);
  }

  /** As {@link #run(Path, Class, String)}, with variables of the environment. */
  static List<Outcome> run(
      Path folder, Class<?> main, String scenario, Map<String, String> environment)
      throws IOException, InterruptedException {
    return run(folder, main, scenario, environment, 2, 0, 1);
  }

  /** As {@link #run(Path, Class, String)}, for any size, of whose ranks only some ever start. */
  static List<Outcome> run(Path folder, Class<?> main, String scenario, int size, int... ranks)
      throws IOException, InterruptedException {
    return run(folder, main, scenario, Map.of(), size, ranks);
  }

  private static List<Outcome> run(
      Path folder,
      Class<?> main,
      String scenario,
      Map<String, String> environment,
      int size,
      int... ranks)
      throws IOException, InterruptedException {
    int port = freePort();
    List<Process> processes = new ArrayList<>();
    try {
      for (int rank : ranks) {
        processes.add(start(folder, main, scenario, environment, rank, size, port));
      }
      List<Outcome> outcomes = new ArrayList<>();
      for (int i = 0; i < ranks.length; i++) {
        if (!processes.get(i).waitFor(SECONDS, TimeUnit.SECONDS)) {
          throw new IllegalStateException(
              "rank %s of %s has no end after %s s: %s"
                  .formatted(
                      ranks[i], scenario, SECONDS, Files.readAllLines(out(folder, ranks[i]))));
        }
        outcomes.add(
            new Outcome(
                processes.get(i).exitValue(),
                Files.readAllLines(out(folder, ranks[i])),
                Files.readString(err(folder, ranks[i]))));
      }
      return outcomes;
    } finally {
      processes.forEach(Process::destroyForcibly);
    }
  }

  private static Process start(
      Path folder,
      Class<?> main,
      String scenario,
      Map<String, String> environment,
      int rank,
      int size,
      int port)
      throws IOException {
    // Surefire may hide the class path in a manifest; this is what it stands for.
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
            .replace(';', File.pathSeparatorChar);
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath,
                main.getName(),
                scenario,
                Integer.toString(rank),
                Integer.toString(size),
                Integer.toString(port),
                folder.toString())
            .directory(folder.toFile())
            .redirectOutput(out(folder, rank).toFile())
            .redirectError(err(folder, rank).toFile());
    builder.environment().putAll(environment);
    return builder.start();
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static Path out(Path folder, int rank) {
    return folder.resolve("out" + rank + ".txt");
  }

  private static Path err(Path folder, int rank) {
    return folder.resolve("err" + rank + ".txt");
  }
}
