// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.Which;

/**
 * {@code rdm launch ... train}, whose ranks are killed at random moments: every state that is there
 * can be read at any time, and the run ends with the bits of one that nobody disturbed.
 */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the script rdm is for a POSIX shell")
class KilledRanksTest {
  private static final int KILLS = 10;
  private static final int MINUTES = 15;

  @TempDir private Path folder;

  @Test
  void aRunWhoseRanksAreKilledTenTimesEndsWithTheSameBits() throws Exception {
    TinyTraining.assumeBuilt();
    Path whole = folder.resolve("whole");
    Path killed = folder.resolve("killed");
    Process undisturbed = launch(whole, 0, folder.resolve("whole.txt"));
    assertThat(undisturbed.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
    assertThat(undisturbed.exitValue()).as(text("whole.txt")).isZero();

    Process launcher = launch(killed, KILLS, folder.resolve("killed.txt"));
    AtomicBoolean done = new AtomicBoolean();
    List<String> unreadable = new ArrayList<>();
    Thread reader = Thread.ofPlatform().start(() -> readStates(killed, done, unreadable));
    int kills = kill(launcher, killed);
    assertThat(launcher.waitFor(MINUTES, TimeUnit.MINUTES)).as(text("killed.txt")).isTrue();
    done.set(true);
    reader.join();

    assertThat(launcher.exitValue()).as(text("killed.txt")).isZero();
    assertThat(kills).isEqualTo(KILLS);
    assertThat(unreadable).isEmpty();
    TinyTraining.assertSame(TinyTraining.lastState(killed), TinyTraining.lastState(whole));
  }

  @Test
  void aTerminatedRunSavesSaysHowToGoOnAndExitsWith0() throws Exception {
    TinyTraining.assumeBuilt();
    Path run = folder.resolve("run");
    Path said = folder.resolve("said.txt");
    List<String> command =
        TinyTraining.train(run, "--nosubdir", "--duration=1", "--dump=0", "--save-minutes=0");
    Process process = TinyTraining.started(said, command.toArray(String[]::new));
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (TinyTraining.lines(run.resolve("log.txt")) < 6 && System.nanoTime() < deadline) {
      Thread.sleep(20);
    }
    process.destroy();

    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(said)).isZero();
    Path state = TinyTraining.lastState(run);
    assertThat(Files.readString(said))
        .contains("to resume, run the same command with --resume=" + state);
    try (Checkpoint checkpoint = Checkpoint.open(state)) {
      assertThat(checkpoint.step()).isPositive();
    }
  }

  /** Kills a rank some time after it has begun to train, again and again. */
  private static int kill(Process launcher, Path run) throws InterruptedException {
    Random random = new Random(42);
    for (int kill = 0; kill < KILLS; kill++) {
      long before = TinyTraining.lines(run.resolve("log.txt"));
      long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
      // This attempt's ranks train when the log has grown by a tick; then they have a while to
      // live.
      while (TinyTraining.lines(run.resolve("log.txt")) <= before + 6
          || ranks(launcher).size() < 2) {
        if (!launcher.isAlive() || System.nanoTime() > deadline) {
          return kill;
        }
        Thread.sleep(20);
      }
      Thread.sleep(random.nextInt(300));
      List<ProcessHandle> ranks = ranks(launcher);
      if (ranks.isEmpty()) {
        return kill;
      }
      ranks.get(random.nextInt(ranks.size())).destroyForcibly();
      while (ranks.stream().anyMatch(ProcessHandle::isAlive)) {
        Thread.sleep(20);
      }
    }
    return KILLS;
  }

  private static List<ProcessHandle> ranks(Process launcher) {
    return launcher.children().filter(ProcessHandle::isAlive).toList();
  }

  private static void readStates(Path run, AtomicBoolean done, List<String> unreadable) {
    while (!done.get()) {
      try (Stream<Path> files = Files.list(run)) {
        for (Path state : files.filter(f -> f.toString().endsWith(".pt")).toList()) {
          try (Checkpoint checkpoint = Checkpoint.open(state)) {
            checkpoint.network(Which.NET).state();
          } catch (RuntimeException e) {
            unreadable.add(String.valueOf(e.getMessage()));
          }
        }
        Thread.sleep(50);
      } catch (IOException e) {
        // The folder is not there yet.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private static Process launch(Path outdir, int restarts, Path log) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of("launch", "--standalone", "--nproc_per_node=2", "--max_restarts=" + restarts));
    command.addAll(TinyTraining.train(outdir, "--nosubdir"));
    return TinyTraining.started(log, command.toArray(String[]::new));
  }

  private String text(String name) throws IOException {
    return Files.readString(folder.resolve(name));
  }
}
