// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.launch.Rdm;
import org.relaydiffusion.launch.process.WorkerCommand.Display;

/** Ranks that meet: training over Gloo, each process a JVM of its own. */
@EnabledOnOs(OS.LINUX)
class LaunchedTrainingTest {
  private static final long MINUTES = 3;

  @TempDir private Path folder;

  private final List<Process> started = new ArrayList<>();

  @AfterEach
  void nothingIsLeftRunning() {
    for (Process process : started) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  private Process start(String name, Map<String, String> environment, List<String> line)
      throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(WorkerCommand.likeThisProcess(Rdm.class).line(line, Display.PLAIN))
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve(name).toFile());
    builder.environment().putAll(environment);
    builder.environment().put("OMP_NUM_THREADS", "1");
    Process process = builder.start();
    started.add(process);
    return process;
  }

  private List<String> train(String duration) {
    Path data =
        Path.of(System.getProperty("rdm.fixtures"), "training/blur_accum2_cond/dataset.zip");
    return List.of(
        "train",
        "--outdir=" + folder.resolve("run"),
        "--nosubdir",
        "--data=" + data,
        "--cond=1",
        "--precond=blur",
        "--cbase=8",
        "--cres=1,2",
        "--num-blocks=1",
        "--batch=4",
        "--duration=" + duration,
        "--tick=0.008",
        "--dump=2",
        "--snap=0",
        "--sample-ticks=0",
        "--device=cpu",
        "--threads=1",
        "--seed=3");
  }

  private static List<String> launch(List<String> command, String... options) {
    List<String> line = new ArrayList<>(List.of("launch"));
    line.addAll(List.of(options));
    line.addAll(command);
    return line;
  }

  private String said(String name) throws IOException {
    return Files.readString(folder.resolve(name));
  }

  /** Waits until the run has logged so many lines. */
  private void untilItTrains(Process process, String name, long lines) throws Exception {
    Path log = folder.resolve("run/log.txt");
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(MINUTES);
    while (lines(log) < lines) {
      assertThat(process.isAlive()).as(said(name)).isTrue();
      assertThat(System.nanoTime()).as(said(name)).isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  private static long lines(Path file) throws IOException {
    if (!Files.exists(file)) {
      return 0;
    }
    try (Stream<String> lines = Files.lines(file)) {
      return lines.count();
    }
  }

  private void ends(Process process, String name, int code) throws Exception {
    assertThat(process.waitFor(MINUTES, TimeUnit.MINUTES)).as(said(name)).isTrue();
    assertThat(process.exitValue()).as(said(name)).isEqualTo(code);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** Where a process's sockets listen, as the kernel writes it: {@code 0100007F:1F90}. */
  private static List<String> listening(ProcessHandle process) throws IOException {
    Path proc = Path.of("/proc", Long.toString(process.pid()));
    Set<String> own = new HashSet<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(proc.resolve("fd"))) {
      for (Path file : files) {
        try {
          own.add(Files.readSymbolicLink(file).toString());
        } catch (IOException e) {
          // Closed in the meantime.
        }
      }
    }
    List<String> addresses = new ArrayList<>();
    for (String family : List.of("tcp", "tcp6")) {
      Path table = proc.resolve("net").resolve(family);
      for (String line : Files.exists(table) ? Files.readAllLines(table) : List.<String>of()) {
        String[] fields = line.strip().split("\\s+", -1);
        boolean listens = fields.length > 9 && fields[3].equals("0A");
        if (listens && own.contains("socket:[%s]".formatted(fields[9]))) {
          addresses.add(fields[1]);
        }
      }
    }
    return addresses;
  }

  @Test
  void aRunOnOneNodeListensAtLoopbackOnly() throws Exception {
    Process launcher =
        start("said", Map.of(), launch(train("1"), "--standalone", "--nproc_per_node=2"));
    untilItTrains(launcher, "said", 4);

    List<ProcessHandle> processes = new ArrayList<>(launcher.children().toList());
    assertThat(processes).hasSize(2);
    processes.add(launcher.toHandle());
    int sockets = 0;
    for (ProcessHandle process : processes) {
      List<String> addresses = listening(process);
      sockets += addresses.size();
      assertThat(addresses).allMatch(address -> address.startsWith("0100007F:"));
    }
    assertThat(sockets).isPositive();

    launcher.destroy();
    ends(launcher, "said", 0);
  }

  @Test
  void launchersOfTwoNodesShareTheirStoreWithTheRanksAndAllStartAgainTogether() throws Exception {
    String port = "--master_port=" + freePort();
    List<Process> nodes = new ArrayList<>();
    for (int node = 0; node < 2; node++) {
      nodes.add(
          start(
              "node" + node,
              Map.of(),
              launch(
                  train("0.00016"),
                  "--nnodes=2",
                  "--node_rank=" + node,
                  "--master_addr=127.0.0.1",
                  port,
                  "--max_restarts=1")));
    }
    untilItTrains(nodes.get(0), "node0", 4);

    nodes.get(1).children().forEach(ProcessHandle::destroyForcibly);

    ends(nodes.get(0), "node0", 0);
    ends(nodes.get(1), "node1", 0);
    assertThat(said("node0")).contains("on another node", "restart 1 of 1");
    assertThat(said("node1")).contains("rank 1 was killed by SIGKILL", "restart 1 of 1");
  }

  /** Its launcher is killed with it: on the other node only silence tells. */
  @Test
  void aNodeThatDiesEndsTheRunOnTheOtherWhichSaysThatItDidNothingWrong() throws Exception {
    String port = "--master_port=" + freePort();
    List<Process> nodes = new ArrayList<>();
    for (int node = 0; node < 2; node++) {
      nodes.add(
          start(
              "node" + node,
              Map.of(),
              launch(
                  train("1"),
                  "--nnodes=2",
                  "--node_rank=" + node,
                  "--master_addr=127.0.0.1",
                  port)));
    }
    untilItTrains(nodes.get(0), "node0", 4);

    List<ProcessHandle> ranks = nodes.get(1).children().toList();
    nodes.get(1).destroyForcibly();
    ranks.forEach(ProcessHandle::destroyForcibly);

    ends(nodes.get(0), "node0", 75);
  }

  @Test
  void aProcessThatLosesAnotherEndsWith75() throws Exception {
    String port = Integer.toString(freePort());
    List<Process> ranks = new ArrayList<>();
    for (int rank = 0; rank < 2; rank++) {
      ranks.add(
          start(
              "rank" + rank,
              Map.of(
                  "RANK",
                  Integer.toString(rank),
                  "WORLD_SIZE",
                  "2",
                  "LOCAL_RANK",
                  Integer.toString(rank),
                  "LOCAL_WORLD_SIZE",
                  "2",
                  "MASTER_ADDR",
                  "127.0.0.1",
                  "MASTER_PORT",
                  port),
              train("1")));
    }
    untilItTrains(ranks.get(0), "rank0", 4);

    ranks.get(1).destroyForcibly();

    ends(ranks.get(0), "rank0", 75);
  }

  /** LibTorch of no folder: the launcher of several nodes takes the bundled one all the same. */
  @Test
  void aLauncherThatWaitsForAnotherNodeEndsSoonAfterASignal() throws Exception {
    for (int node = 0; node < 2; node++) {
      String name = "node" + node;
      Process launcher =
          start(
              name,
              Map.of("RDM_LIBTORCH", folder.resolve("nothing").toString()),
              launch(
                  List.of("doctor"),
                  "--nnodes=2",
                  "--node_rank=" + node,
                  "--master_addr=127.0.0.1",
                  "--master_port=" + freePort()));
      long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(MINUTES);
      String waits = node == 0 ? "waiting at" : "joining node 0 at";
      while (!said(name).contains(waits)) {
        assertThat(launcher.isAlive()).as(said(name)).isTrue();
        assertThat(System.nanoTime()).as(said(name)).isLessThan(deadline);
        Thread.sleep(20);
      }
      long began = System.nanoTime();
      launcher.destroy();

      ends(launcher, name, 143);
      // Less than 2 s, on a machine that is not busy.
      assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(6));
    }
  }
}
