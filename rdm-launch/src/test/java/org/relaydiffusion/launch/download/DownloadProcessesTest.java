// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.launch.Rdm;
import org.relaydiffusion.launch.process.WorkerCommand;
import org.relaydiffusion.launch.process.WorkerCommand.Display;

/** Real processes that need the same checkpoint. They get no LibTorch: only the download counts. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "has no SIGINT")
class DownloadProcessesTest {
  private static final byte[] CONTENT = new byte[1_000_000];
  private static final Duration LONGEST = Duration.ofMinutes(2);

  @TempDir private Path folder;
  private final List<Process> started = new ArrayList<>();
  private FileServer server;

  @BeforeEach
  void startServer() throws IOException {
    server = new FileServer();
  }

  @AfterEach
  void nothingIsLeftRunning() {
    started.forEach(Process::destroyForcibly);
    server.close();
  }

  private Process generate(String path) throws IOException {
    List<String> command =
        List.of(
            "generate",
            "--device=cpu",
            "--sampler_stages=first",
            "--outdir=" + folder.resolve("out"),
            "--network_first=" + server.url(path));
    ProcessBuilder builder =
        new ProcessBuilder(WorkerCommand.likeThisProcess(Rdm.class).line(command, Display.PLAIN))
            .redirectErrorStream(true)
            .redirectOutput(output(started.size()).toFile());
    builder.environment().put("RDM_CACHE", folder.resolve("cache").toString());
    builder.environment().put("RDM_LIBTORCH", folder.resolve("none").toString());
    builder.environment().put("no_proxy", "*");
    Process process = builder.start();
    started.add(process);
    return process;
  }

  private Path output(int process) {
    return folder.resolve("output" + process);
  }

  /** Waits until one of the processes has said {@code text}. */
  private void untilSaid(String text) throws Exception {
    long deadline = System.nanoTime() + LONGEST.toNanos();
    while (true) {
      for (int i = 0; i < started.size(); i++) {
        if (Files.readString(output(i)).contains(text)) {
          return;
        }
      }
      assertThat(System.nanoTime()).as(text).isLessThan(deadline);
      Thread.sleep(50);
    }
  }

  private List<Path> cached() throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
      return files.filter(Files::isRegularFile).filter(file -> !file.endsWith(".lock")).toList();
    }
  }

  @Test
  void ofTwoOneDownloadsAndTheOtherOneWaits() throws Exception {
    CountDownLatch waits = new CountDownLatch(1);
    server.on(
        "/a.pt",
        exchange -> {
          exchange.sendResponseHeaders(200, CONTENT.length);
          exchange.getResponseBody().write(CONTENT, 0, 1000);
          exchange.getResponseBody().flush();
          try {
            waits.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          exchange.getResponseBody().write(CONTENT, 1000, CONTENT.length - 1000);
        });
    generate("/a.pt");
    generate("/a.pt");
    untilSaid("waiting for another process to download " + server.url("/a.pt"));
    waits.countDown();

    for (int i = 0; i < 2; i++) {
      assertThat(started.get(i).waitFor(LONGEST.toSeconds(), TimeUnit.SECONDS)).isTrue();
      // Both have the file, and come to what they do not have.
      assertThat(Files.readString(output(i))).contains("RDM_LIBTORCH=").contains("no such folder");
    }
    assertThat(server.asked("/a.pt")).isEqualTo(1);
    assertThat(cached())
        .singleElement()
        .satisfies(file -> assertThat(file).hasBinaryContent(CONTENT));
  }

  @Test
  void anInterruptEndsTheProcessAndLeavesNothing() throws Exception {
    server.stalling("/slow.pt", 1000, CONTENT.length);
    Process process = generate("/slow.pt");
    untilSaid("downloading " + server.url("/slow.pt"));
    while (server.asked("/slow.pt") == 0 || cached().isEmpty()) {
      Thread.sleep(20);
    }

    long began = System.nanoTime();
    Process kill = new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start();
    assertThat(kill.waitFor()).isZero();
    assertThat(process.waitFor(LONGEST.toSeconds(), TimeUnit.SECONDS)).isTrue();

    // Half a second on a quiet machine; without the signal's handling it would be a minute.
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(15));
    assertThat(process.exitValue()).as(Files.readString(output(0))).isEqualTo(130);
    assertThat(cached()).isEmpty();
    assertThat(Files.readString(output(0))).contains("the partial download was discarded");
  }
}
