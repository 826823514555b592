package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * {@code rdm launch ... train}, whose ranks are killed at random moments: every state that is there
 * can be read at any time, and the run ends with the bits of one that nobody disturbed.
 */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the script rdm is for a POSIX shell")
class KilledRanksTest {
  private static final Path FIXTURES = Path.of(System.getProperty("rdm.fixtures"));
  private static final Path ROOT = FIXTURES.resolve("../..").normalize();
  private static final int KILLS = 10;
  private static final int MINUTES = 15;

  @TempDir private Path folder;

  @Test
  void aRunWhoseRanksAreKilledTenTimesEndsWithTheSameBits() throws Exception {
    assumeTrue(
        Files.isDirectory(ROOT.resolve("rdm-launch/target/dist/native")),
        "rdm is built in phase package: run ./mvnw verify");
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
    assertSame(lastState(killed), lastState(whole));
  }

  @Test
  void aTerminatedRunSavesSaysHowToGoOnAndExitsWith0() throws Exception {
    assumeTrue(
        Files.isDirectory(ROOT.resolve("rdm-launch/target/dist/native")),
        "rdm is built in phase package: run ./mvnw verify");
    Path run = folder.resolve("run");
    Path said = folder.resolve("said.txt");
    Process process = started(said, train(run, "--duration=1", "--dump=0").toArray(String[]::new));
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (lines(run.resolve("log.txt")) < 6 && System.nanoTime() < deadline) {
      Thread.sleep(20);
    }
    process.destroy();

    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(said)).isZero();
    Path state = lastState(run);
    assertThat(Files.readString(said))
        .contains("to go on: the same command with --resume=" + state);
    try (Checkpoint checkpoint = Checkpoint.open(state)) {
      assertThat(checkpoint.step()).isPositive();
    }
  }

  /** Kills a rank some time after it has begun to train, again and again. */
  private static int kill(Process launcher, Path run) throws InterruptedException {
    Random random = new Random(42);
    for (int kill = 0; kill < KILLS; kill++) {
      long before = lines(run.resolve("log.txt"));
      long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
      // This attempt's ranks train when the log has grown by a tick; then they have a while to
      // live.
      while (lines(run.resolve("log.txt")) <= before + 4 || ranks(launcher).size() < 2) {
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

  private static long lines(Path file) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines.count();
    } catch (IOException e) {
      return 0;
    }
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
    command.addAll(train(outdir));
    return started(log, command.toArray(String[]::new));
  }

  private static List<String> train(Path outdir, String... more) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "train",
                "--outdir=" + outdir,
                "--nosubdir",
                "--data=" + FIXTURES.resolve("training/blur_accum2_cond/dataset.zip"),
                "--cond=1",
                "--precond=blur",
                "--cbase=8",
                "--cres=1,2",
                "--num-blocks=1",
                "--batch=4",
                "--duration=0.003",
                "--tick=0.008",
                "--dump=2",
                "--snap=0",
                "--sample-ticks=0",
                "--lr-rampup=0.1",
                "--threads=1",
                "--seed=3"));
    command.addAll(List.of(more));
    return command;
  }

  private static Process started(Path log, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(ROOT.resolve("rdm").toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("RDM_JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("RDM_JAVA_OPTS", "-Xmx256m -XX:TieredStopAtLevel=1");
    return builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
  }

  private String text(String name) throws IOException {
    return Files.readString(folder.resolve(name));
  }

  private static Path lastState(Path run) throws IOException {
    try (Stream<Path> files = Files.list(run)) {
      return files.filter(f -> f.toString().endsWith(".pt")).max(Path::compareTo).orElseThrow();
    }
  }

  private static void assertSame(Path actual, Path expected) {
    try (Checkpoint a = Checkpoint.open(actual);
        Checkpoint e = Checkpoint.open(expected);
        TensorScope _ = TensorScope.open()) {
      assertThat(a.step()).isEqualTo(e.step());
      for (Which which : Which.values()) {
        Map<String, StoredTensor> tensors = a.network(which).tensors();
        e.network(which)
            .tensors()
            .forEach((name, tensor) -> {
              Tensor mine = Torch.fromData(Objects.requireNonNull(tensors.get(name)).data());
              assertThat(mine.toDoubles())
                  .as("%s %s", which, name)
                  .isEqualTo(Torch.fromData(tensor.data()).toDoubles());
            });
      }
    }
  }
}
