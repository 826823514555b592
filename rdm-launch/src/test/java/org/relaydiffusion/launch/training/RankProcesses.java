// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.relaydiffusion.launch.Rdm;
import org.relaydiffusion.launch.process.WorkerCommand;
import org.relaydiffusion.launch.process.WorkerCommand.Display;

/**
 * Tiny training runs as ranks in processes of their own, as any launcher starts them.
 *
 * @param folder where they write
 * @param started all so far
 */
record RankProcesses(Path folder, List<Rank> started) implements AutoCloseable {
  private static final int LONGEST_SECONDS = 120;

  RankProcesses(Path folder) {
    this(folder, new ArrayList<>());
  }

  /** A process and the file with its output and errors. */
  record Rank(Process process, Path output) {
    String said() throws IOException {
      return Files.readString(output);
    }

    /** Waits until it has said {@code text}. */
    void untilSaid(String text) throws Exception {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LONGEST_SECONDS);
      while (!said().contains(text)) {
        assertThat(process.isAlive()).as(said()).isTrue();
        assertThat(System.nanoTime()).as(said()).isLessThan(deadline);
        Thread.sleep(50);
      }
    }

    /** Sends a signal: {@code TERM}. */
    void signal(String name) throws Exception {
      Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
      assertThat(kill.waitFor()).isZero();
    }

    /** Waits for its end; returns its exit code. */
    int code() throws Exception {
      assertThat(process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)).as(said()).isTrue();
      return process.exitValue();
    }
  }

  /** Starts {@code rdm train} with further variables and options. */
  Rank train(Map<String, String> variables, String... more) throws IOException {
    List<String> line =
        new ArrayList<>(
            List.of(
                "train",
                "--outdir=" + runs(),
                "--data="
                    + Path.of(
                        System.getProperty("rdm.fixtures"),
                        "training/blur_accum2_cond/dataset.zip"),
                "--cbase=8",
                "--cres=1,2",
                "--num-blocks=1",
                "--batch=2",
                "--device=cpu",
                "--threads=1",
                "--seed=1"));
    line.addAll(List.of(more));
    Path output = folder.resolve("output" + started.size());
    ProcessBuilder builder =
        new ProcessBuilder(WorkerCommand.likeThisProcess(Rdm.class).line(line, Display.PLAIN))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    builder.environment().putAll(variables);
    Rank rank = new Rank(builder.start(), output);
    started.add(rank);
    return rank;
  }

  /** Where the runs' folders are. */
  Path runs() {
    return folder.resolve("runs");
  }

  /** The variables of rank {@code rank} of two. */
  static Map<String, String> ofTwo(int rank, String master, int port) {
    Map<String, String> variables = new HashMap<>();
    variables.put("RANK", Integer.toString(rank));
    variables.put("WORLD_SIZE", "2");
    variables.put("LOCAL_RANK", "0");
    variables.put("MASTER_ADDR", master);
    variables.put("MASTER_PORT", Integer.toString(port));
    return variables;
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Leaves none running. */
  @Override
  public void close() {
    started.forEach(rank -> rank.process().destroyForcibly());
  }
}
