// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.checkpoint.Checkpoint;

/** A rank that cannot read its data takes the others along, after the state is saved. */
class FailedRankTest {
  private static final int SECONDS = 150;

  @TempDir private Path folder;

  @Test
  void allRanksSaveAndNameTheFileOfTheOneThatFailed() throws Exception {
    List<Path> data =
        List.of(
            StoppedTrainingTest.unpacked(folder.resolve("data0")),
            StoppedTrainingTest.unpacked(folder.resolve("data1")));
    Path run = folder.resolve("run");

    List<String> said = run(data, run);

    Path state = run.resolve("training-state-000000.pt");
    assertThat(said.get(0))
        .matches(
            "\\Q%s\\E/.+\\.png: .+ \\(rank 1\\); the state is saved as \\Q%s\\E\\R"
                .formatted(data.get(1), state));
    assertThat(said.get(1)).isEqualTo(said.get(0));
    try (Checkpoint saved = Checkpoint.open(state)) {
      assertThat(saved.step()).isPositive();
    }
  }

  private List<String> run(List<Path> data, Path run) throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    List<Process> processes = new ArrayList<>();
    try {
      for (int rank = 0; rank < data.size(); rank++) {
        processes.add(
            new ProcessBuilder(command(port, rank, data.get(rank), run))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log" + rank).toFile())
                .start());
      }
      List<String> said = new ArrayList<>();
      for (int rank = 0; rank < data.size(); rank++) {
        boolean ended = processes.get(rank).waitFor(SECONDS, TimeUnit.SECONDS);
        said.add(Files.readString(folder.resolve("log" + rank)));
        assertThat(ended).as(said.getLast()).isTrue();
      }
      return said;
    } finally {
      processes.forEach(Process::destroyForcibly);
    }
  }

  private static List<String> command(int port, int rank, Path data, Path run) {
    // Surefire may hide the class path in a manifest; this is what it stands for.
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
            .replace(';', File.pathSeparatorChar);
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx256m",
        "-XX:+UseSerialGC",
        "--enable-native-access=ALL-UNNAMED",
        "-Drdm.fixtures=" + System.getProperty("rdm.fixtures"),
        "-cp",
        classPath,
        FailingPeerMain.class.getName(),
        Integer.toString(port),
        Integer.toString(rank),
        data.toString(),
        run.toString());
  }
}
