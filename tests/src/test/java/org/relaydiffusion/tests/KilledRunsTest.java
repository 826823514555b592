// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Several runs in one output folder, whose ranks are killed at any moment, from the start of their
 * process on: each ends in a folder of its own.
 */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the script rdm is for a POSIX shell")
class KilledRunsTest {
  private static final int[] KILLS = {13, 13, 12, 12};
  private static final int FIRST_SEED = 3;
  private static final int MINUTES = 15;

  /** Six hundred steps of a few milliseconds: a killed run makes some dozens between two starts. */
  private static final List<String> SMALL =
      List.of("--precond=edm", "--cbase=4", "--cres=1", "--batch=2", "--duration=0.0012");

  private static final String FEW_STEPS = "--duration=0.000024";
  private static final Pattern RUN = Pattern.compile("\\brun: (.+)$", Pattern.MULTILINE);

  /**
   * That many of the kills come while the ranks train; the others at any time after their start.
   */
  private static final double IN_TRAINING = 0.6;

  @TempDir private Path folder;

  @BeforeEach
  void requireBuild() {
    TinyTraining.assumeBuilt();
  }

  @Test
  void fourRunsAtOnceEndInTheirOwnFoldersWithTheirOwnBits() throws Exception {
    long seed = Long.getLong("rdm.killedRuns.seed", System.nanoTime());
    System.out.println("KilledRunsTest: -Drdm.killedRuns.seed=" + seed);
    Path outdir = folder.resolve("runs");
    List<Path> whole = new ArrayList<>();
    List<Process> undisturbed = new ArrayList<>();
    for (int run = 0; run < KILLS.length; run++) {
      whole.add(folder.resolve("whole" + run));
      undisturbed.add(launch("whole", whole.get(run), run, 0, "--nosubdir"));
    }
    for (int run = 0; run < KILLS.length; run++) {
      assertThat(undisturbed.get(run).waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
      assertThat(undisturbed.get(run).exitValue()).as(text("whole", run)).isZero();
    }

    List<Future<Integer>> killed = new ArrayList<>();
    try (ExecutorService killers = Executors.newFixedThreadPool(KILLS.length)) {
      for (int run = 0; run < KILLS.length; run++) {
        Process launcher = launch("killed", outdir, run, KILLS[run]);
        int number = run;
        killed.add(killers.submit(() -> kill(launcher, number, new Random(seed + number))));
      }
    }

    Set<Path> own = new HashSet<>();
    for (int run = 0; run < KILLS.length; run++) {
      assertThat(killed.get(run).get()).as(text("killed", run)).isEqualTo(KILLS[run]);
      Set<Path> folders = foldersOf(run);
      assertThat(folders).as(text("killed", run)).hasSize(1);
      Path mine = folders.iterator().next();
      assertThat(own.add(mine)).as("%s is of two runs", mine).isTrue();
      TinyTraining.assertSame(TinyTraining.lastState(mine), TinyTraining.lastState(whole.get(run)));
      assertThat(names(mine)).noneMatch(name -> name.endsWith(".tmp"));
    }
    for (Path other : list(outdir)) {
      if (!own.contains(other)) {
        // A rank was killed right after it had made the folder, before it could say whose it is.
        assertThat(names(other))
            .allMatch(name -> name.matches("\\.run-lock|\\.\\.run-id\\..*\\.tmp"));
      }
    }
  }

  @Test
  void aRankThatDiesBeforeItsFolderIsThereLeavesAFinishedRunAlone() throws Exception {
    Path outdir = folder.resolve("runs");
    Process first = launch("killed", outdir, 1, 0, FEW_STEPS);
    assertThat(first.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
    assertThat(first.exitValue()).as(text("killed", 1)).isZero();
    Path finished = foldersOf(1).iterator().next();
    Map<String, String> before = contents(finished);

    // The same command once more, whose rank dies at once, twice.
    Process second = launch("again", outdir, 1, 2, FEW_STEPS);
    Set<Long> seen = new HashSet<>();
    for (int kill = 0; kill < 2; kill++) {
      List<ProcessHandle> ranks = freshRanks(second, seen);
      ranks.forEach(ProcessHandle::destroyForcibly);
      await(() -> ranks.stream().noneMatch(ProcessHandle::isAlive));
      assertThat(list(outdir)).containsExactly(finished);
    }
    assertThat(second.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();

    String said = Files.readString(folder.resolve("again1.txt"));
    assertThat(second.exitValue()).as(said).isZero();
    assertThat(said).contains("restart 2 of 2");
    assertThat(contents(finished)).isEqualTo(before);
    List<Path> folders = list(outdir);
    assertThat(folders).hasSize(2).contains(finished);
    folders.remove(finished);
    TinyTraining.assertSame(
        TinyTraining.lastState(folders.getFirst()), TinyTraining.lastState(finished));
  }

  private Process launch(String name, Path outdir, int run, int restarts, String... more)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "launch",
                "--standalone",
                "--nproc_per_node=" + (run == 0 ? 2 : 1),
                "--max_restarts=" + restarts));
    command.addAll(TinyTraining.train(outdir, "--seed=" + (FIRST_SEED + run)));
    command.addAll(SMALL);
    command.addAll(List.of(more));
    return TinyTraining.started(log(name, run), command.toArray(String[]::new));
  }

  private Path log(String name, int run) {
    return folder.resolve(name + run + ".txt");
  }

  private String text(String name, int run) throws IOException {
    return Files.readString(log(name, run));
  }

  /** Kills a rank of one run again and again, and waits for the run's end. */
  private int kill(Process launcher, int run, Random random) throws Exception {
    int kills = 0;
    Set<Long> seen = new HashSet<>();
    while (kills < KILLS[run] && launcher.isAlive()) {
      List<ProcessHandle> ranks = freshRanks(launcher, seen);
      if (random.nextDouble() < IN_TRAINING) {
        long before = logged(run);
        await(() -> logged(run) > before + 6 || !launcher.isAlive());
        Thread.sleep(random.nextInt(150));
      } else {
        Thread.sleep(random.nextInt(1200));
      }
      if (!ranks.isEmpty() && ranks.stream().allMatch(ProcessHandle::isAlive)) {
        ranks.get(random.nextInt(ranks.size())).destroyForcibly();
        kills++;
      }
      await(() -> ranks.stream().noneMatch(ProcessHandle::isAlive));
    }
    assertThat(launcher.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
    assertThat(launcher.exitValue()).as(text("killed", run)).isZero();
    return kills;
  }

  /** The ranks of an attempt that has just begun. */
  private static List<ProcessHandle> freshRanks(Process launcher, Set<Long> seen)
      throws InterruptedException {
    List<ProcessHandle> fresh = new ArrayList<>();
    await(() -> {
      fresh.clear();
      ranks(launcher).stream().filter(rank -> !seen.contains(rank.pid())).forEach(fresh::add);
      return !fresh.isEmpty() || !launcher.isAlive();
    });
    fresh.forEach(rank -> seen.add(rank.pid()));
    return fresh;
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(MINUTES);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(10);
    }
  }

  /**
   * The ranks; not what the script starts before it becomes the launcher, nor a process that the
   * launcher has forked and that still bears its command line.
   */
  private static List<ProcessHandle> ranks(Process launcher) {
    return launcher
        .children()
        .filter(ProcessHandle::isAlive)
        .filter(child -> {
          List<String> line = List.of(child.info().arguments().orElse(new String[0]));
          return line.contains("train") && !line.contains("launch");
        })
        .toList();
  }

  /** How much a run's log has grown to; 0 before there is one. */
  private long logged(int run) {
    try {
      return foldersOf(run).stream().mapToLong(f -> TinyTraining.lines(f.resolve("log.txt"))).sum();
    } catch (IOException e) {
      return 0;
    }
  }

  /** Every folder that the ranks of a run said was theirs. */
  private Set<Path> foldersOf(int run) throws IOException {
    Set<Path> folders = new LinkedHashSet<>();
    Matcher said = RUN.matcher(text("killed", run));
    while (said.find()) {
      folders.add(Path.of(said.group(1).strip()));
    }
    return folders;
  }

  private static List<Path> list(Path outdir) throws IOException {
    try (Stream<Path> entries = Files.list(outdir)) {
      return new ArrayList<>(entries.sorted().toList());
    }
  }

  private static List<String> names(Path run) throws IOException {
    return list(run).stream().map(file -> file.getFileName().toString()).toList();
  }

  /** Every file with its time and bytes. */
  private static Map<String, String> contents(Path run) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    for (Path file : list(run)) {
      contents.put(
          file.getFileName().toString(),
          Files.getLastModifiedTime(file) + " " + Arrays.hashCode(Files.readAllBytes(file)));
    }
    return contents;
  }
}
