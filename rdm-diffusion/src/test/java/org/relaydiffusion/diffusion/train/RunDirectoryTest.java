// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;

class RunDirectoryTest {
  @TempDir private Path folder;

  @Test
  void runsAreNumberedAfterTheHighest() throws IOException {
    Files.createDirectories(folder.resolve("00007-older"));
    Files.createDirectories(folder.resolve("notes"));
    Files.writeString(folder.resolve("00009-file"), "no folder");

    try (RunDirectory run = RunDirectory.numbered(folder, "faces")) {
      assertThat(run.path()).isEqualTo(folder.resolve("00008-faces")).isDirectory();
    }
  }

  @Test
  void runsThatBeginAtOnceHaveANumberEach() throws InterruptedException {
    int runs = 24;
    Set<String> numbers = ConcurrentHashMap.newKeySet();
    CountDownLatch start = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < runs; i++) {
      String name = "run" + i % 3;
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                try {
                  start.await();
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
                try (RunDirectory run = RunDirectory.numbered(folder, name)) {
                  numbers.add(run.path().getFileName().toString().substring(0, 5));
                }
              }));
    }
    start.countDown();
    for (Thread thread : threads) {
      thread.join();
    }

    assertThat(numbers).hasSize(runs);
  }

  @Test
  void theNameIsTheReferences() {
    assertThat(new RunName("name", true, "adm", "edm", 8, 4096, "fp16", "").text())
        .isEqualTo("name-cond-adm-edm-gpus8-batch4096-fp16");
    assertThat(new RunName("cifar", false, "ddpmpp", "vp", 1, 512, "fp32", "try").text())
        .isEqualTo("cifar-uncond-ddpmpp-vp-gpus1-batch512-fp32-try");
  }

  @Test
  void runsOfTheSameDescriptionAreFoundNewestFirst() throws IOException {
    for (String name :
        List.of(
            "00001-faces-cond-adm-edm-gpus1-batch4-fp32",
            "00002-faces-cond-adm-edm-gpus8-batch4096-bf16-try",
            "00003-faces-uncond-adm-edm-gpus1-batch4-fp32",
            "00004-faces-cond-ddpmpp-edm-gpus1-batch4-fp32",
            "00005-faces-cond-adm-blur-gpus1-batch4-fp32",
            "00006-my-faces-cond-adm-edm-gpus1-batch4-fp32",
            "00007-faces-cond-adm-edm-notes")) {
      Files.createDirectories(folder.resolve(name));
    }

    assertThat(RunFolders.of(folder, new RunName("faces", true, "adm", "edm", 2, 16, "fp16", "")))
        .containsExactly(
            folder.resolve("00002-faces-cond-adm-edm-gpus8-batch4096-bf16-try"),
            folder.resolve("00001-faces-cond-adm-edm-gpus1-batch4-fp32"));
  }

  @Test
  void theLatestStateIsTheOneOfMostImages() throws IOException {
    try (RunDirectory run = RunDirectory.of(folder.resolve("run"))) {
      assertThat(StateFiles.in(run.path())).isEmpty();
      for (String name :
          new String[] {
            "training-state-000900.pt",
            "training-state-1000000.pt",
            "training-state-99.pt.tmp",
            "network-snapshot-2000000.pkl"
          }) {
        Files.writeString(run.file(name), "");
      }

      assertThat(StateFiles.in(run.path()))
          .containsExactly(
              run.file("training-state-1000000.pt"), run.file("training-state-000900.pt"));
      assertThat(run.state(1_234_567)).hasFileName("training-state-001234.pt");
      assertThat(run.snapshot(999, "pkl")).hasFileName("network-snapshot-000000.pkl");
    }
  }

  @Test
  void aRunThatIsStartedAgainFindsItsFolderAndNobodyElses() {
    Path one = made("a", identity("launch-1", "17", "faces", 0));
    Path other = made("a", identity("launch-1", "17", "dogs", 0));
    Path third = made("a", identity("launch-2", "17", "faces", 0));

    assertThat(RunFolders.of(folder, identity("launch-1", "17", "faces", 1))).containsExactly(one);
    assertThat(RunFolders.of(folder, identity("launch-1", "18", "dogs", 3))).containsExactly(other);
    // Of a job that the cluster has started again, whose launches have new names.
    assertThat(RunFolders.of(folder, identity("launch-9", "17", "faces", 1)))
        .containsExactly(third, one);
    assertThat(RunFolders.of(folder, identity("launch-9", "18", "faces", 1))).isEmpty();
    assertThat(
            RunFolders.of(folder, new RunIdentity(Optional.empty(), Optional.empty(), "faces", 1)))
        .isEmpty();
  }

  private static RunIdentity identity(String launch, String job, String task, int attempt) {
    return new RunIdentity(Optional.of(launch), Optional.of(job), task, attempt);
  }

  private Path made(String name, RunIdentity identity) {
    try (RunDirectory run = RunDirectory.numbered(folder, name)) {
      run.mark(identity);
      return run.path();
    }
  }

  @Test
  void leftoversOfAKilledRunGoAndNothingElse() throws IOException {
    Path run = Files.createDirectories(folder.resolve("run"));
    String left = ".training-state-000001.pt.1b4e28ba-2fa1-11d2-883f-0016d3cca427.tmp";
    Set<String> others =
        Set.of(
            ".notes.tmp", "training-state-000001.pt", "a.1b4e28ba-2fa1-11d2-883f-0016d3cca427.tmp");
    Files.writeString(run.resolve(left), "half");
    for (String other : others) {
      Files.writeString(run.resolve(other), "whole");
    }

    try (RunDirectory directory = RunDirectory.of(run);
        var files = Files.list(directory.path())) {
      assertThat(files.map(f -> f.getFileName().toString()).collect(Collectors.toSet()))
          .containsAll(others)
          .doesNotContain(left);
    }
  }

  @Test
  void overwritingDeletesTheRunAndNothingElse() throws IOException {
    Path run = made("a", identity("launch-1", "17", "faces", 0));
    List<String> written =
        List.of(
            "training-state-000001.pt",
            "network-snapshot-000001.pkl",
            "log.txt",
            "stats.jsonl",
            "events.out.tfevents.1.host",
            "fakes000000.png");
    for (String name : written) {
      Files.writeString(run.resolve(name), "");
    }
    Files.writeString(run.resolve("notes.txt"), "mine");

    try (RunDirectory directory = RunDirectory.of(run)) {
      directory.clear();
    }

    written.forEach(name -> assertThat(run.resolve(name)).doesNotExist());
    assertThat(run.resolve("notes.txt")).exists();
    assertThat(RunFolders.of(folder, identity("launch-1", "17", "faces", 1))).isEmpty();
  }

  @Test
  void aFileInTheWayIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");

    assertThatThrownBy(() -> RunDirectory.of(file))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(file.toString());
  }
}
