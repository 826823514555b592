// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.launch.Rdm;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.process.WorkerCommand.Display;
import org.relaydiffusion.launch.sampling.Relay;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Launches of a real command: each rank is a JVM of its own. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "has neither SIGTERM nor SIGKILL")
class LaunchedRunTest {
  /** More pictures than any test waits for. */
  private static final String[] ENDLESS = {"--seeds=0-99999", "--batch=2"};

  @TempDir private Path folder;

  private final List<Process> launchers = new ArrayList<>();

  @AfterEach
  void nothingIsLeftRunning() {
    for (Process launcher : launchers) {
      launcher.descendants().forEach(ProcessHandle::destroyForcibly);
      launcher.destroyForcibly();
    }
  }

  private List<String> generate(Path outdir, String... more) {
    Relay relay = Relay.conditional(outdir);
    List<String> line =
        new ArrayList<>(
            List.of(
                "generate",
                "--network_first=" + relay.first(),
                "--network_second=" + relay.second(),
                "--outdir=" + outdir,
                "--device=cpu",
                "--threads=1",
                "--numerics=exact",
                "--num_steps_first=2",
                "--num_steps_second=4"));
    line.addAll(List.of(more));
    return line;
  }

  private static List<String> launch(List<String> command, String... options) {
    List<String> line = new ArrayList<>(List.of("launch", "--standalone", "--nproc_per_node=2"));
    line.addAll(List.of(options));
    line.addAll(command);
    return line;
  }

  /** A launcher in a process of its own, as a shell starts it. */
  private Process start(List<String> line) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(WorkerCommand.likeThisProcess(Rdm.class).line(line, Display.PLAIN))
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("output").toFile());
    Process launcher = builder.start();
    launchers.add(launcher);
    return launcher;
  }

  private String output() throws IOException {
    return Files.readString(folder.resolve("output"));
  }

  /** The ranks' processes, once each has made a picture and so hears signals. */
  private List<ProcessHandle> ranks(Process launcher) throws Exception {
    // Batches of two go to the ranks in turn.
    Path ofRank0 = folder.resolve("pictures/000000/000000.png");
    Path ofRank1 = folder.resolve("pictures/000000/000002.png");
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (!Files.exists(ofRank0) || !Files.exists(ofRank1)) {
      assertThat(launcher.isAlive()).as(output()).isTrue();
      assertThat(System.nanoTime()).as(output()).isLessThan(deadline);
      Thread.sleep(100);
    }
    List<ProcessHandle> ranks = launcher.children().toList();
    assertThat(ranks).hasSize(2);
    return ranks;
  }

  private static void awaitEnd(List<ProcessHandle> processes, Duration within) throws Exception {
    for (ProcessHandle process : processes) {
      process.onExit().get(within.toSeconds(), TimeUnit.SECONDS);
    }
  }

  @Test
  void twoRanksMakeTheSamePicturesAsOneProcess() throws IOException {
    Path alone = folder.resolve("alone");
    Path launched = folder.resolve("launched");
    Map<String, String> environment = new HashMap<>(System.getenv());

    RdmRun one =
        RdmRun.in(environment, generate(alone, "--seeds=0-5", "--batch=2").toArray(String[]::new));
    RdmRun two =
        RdmRun.in(
            environment,
            launch(generate(launched, "--seeds=0-5", "--batch=2")).toArray(String[]::new));

    assertThat(one.code()).as(one.err()).isZero();
    assertThat(two.code()).as(two.err()).isZero();
    assertThat(two.out().lines())
        .anyMatch(line -> line.startsWith("[rank 0] "))
        .anyMatch(line -> line.startsWith("[rank 1] "))
        .allMatch(line -> line.matches("\\[rank [01]] .*"));
    for (int seed = 0; seed < 6; seed++) {
      String name = String.format(Locale.ROOT, "000000/%06d.png", seed);
      // Their text differs: the sizes of the batches.
      assertThat(PictureReader.read(launched.resolve(name)))
          .isEqualTo(PictureReader.read(alone.resolve(name)));
    }
  }

  @Test
  void aUsageMistakeOfTheCommandIsTheLaunchersToo() {
    RdmRun run = RdmRun.in(System.getenv(), launch(List.of("generate")).toArray(String[]::new));

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err())
        .contains("  | rdm: Missing required option", "--outdir")
        .containsPattern("rdm: rank [01] ended with exit code 2\\R$");
  }

  @Test
  void aRankThatIsKilledEndsTheRun() throws Exception {
    Process launcher = start(launch(generate(folder.resolve("pictures"), ENDLESS)));
    List<ProcessHandle> ranks = ranks(launcher);

    ranks.getLast().destroyForcibly();

    awaitEnd(ranks, Duration.ofSeconds(10));
    assertThat(launcher.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(launcher.exitValue()).isEqualTo(1);
    assertThat(output())
        .containsPattern("rdm: rank [01] was killed by SIGKILL \\(exit code" + " 137\\)");
  }

  @Test
  void aStoppedLauncherLetsItsRanksFinish() throws Exception {
    Process launcher = start(launch(generate(folder.resolve("pictures"), ENDLESS)));
    List<ProcessHandle> ranks = ranks(launcher);

    launcher.toHandle().destroy();

    assertThat(launcher.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(launcher.exitValue()).isEqualTo(143);
    assertThat(ranks).noneMatch(ProcessHandle::isAlive);
    assertThat(output())
        .contains("rdm launch: SIGTERM: waiting for ranks 0, 1")
        .containsPattern("\\[rank 0] rdm: stopped with \\d+ of \\d+ images written")
        .containsPattern("\\[rank 1] rdm: stopped with \\d+ of \\d+ images written");
  }

  @Test
  void ranksDoNotOutliveAKilledLauncher() throws Exception {
    Process launcher = start(launch(generate(folder.resolve("pictures"), ENDLESS)));
    List<ProcessHandle> ranks = ranks(launcher);

    launcher.destroyForcibly();

    awaitEnd(ranks, Duration.ofSeconds(60));
    assertThat(ranks).noneMatch(ProcessHandle::isAlive);
  }

  @Test
  void jsonOfALaunchedCommandIsOneObject() {
    RdmRun run =
        RdmRun.in(
            System.getenv(),
            launch(generate(folder.resolve("pictures"), "--seeds=0-5", "--batch=2", "--json"))
                .toArray(String[]::new));

    assertThat(run.code()).as(run.err()).isZero();
    JsonNode result = JsonMapper.shared().readTree(run.out());
    assertThat(result.get("rank").asInt()).isZero();
    assertThat(result.get("command").asString()).isEqualTo("generate");
  }

  /** Nobody reads what the launcher writes, and its ranks write more than its pipe can hold. */
  @Test
  void aLauncherWhoseOutputNobodyReadsStillEndsItsRanks() throws Exception {
    Path pids = Files.createDirectory(folder.resolve("pids"));
    Path fail = folder.resolve("fail");
    Process launcher =
        new ProcessBuilder(
                WorkerCommand.likeThisProcess(TalkingMain.class)
                    .line(List.of(pids.toString(), fail.toString()), Display.PLAIN))
            .start();
    launchers.add(launcher);
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (pids.toFile().list().length < 2) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(50);
    }
    Thread.sleep(2000); // By now the pipe is full and so is the launcher's queue.
    List<ProcessHandle> ranks =
        Stream.of(pids.toFile().list())
            .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)).stream())
            .toList();
    assertThat(ranks).hasSize(2).allMatch(ProcessHandle::isAlive);

    Files.createFile(fail);

    awaitEnd(ranks, Duration.ofSeconds(20));
    assertThat(launcher.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(launcher.exitValue()).isEqualTo(1);
  }

  /** A launcher whose two ranks talk without an end, until one is asked to fail. */
  static final class TalkingMain {
    @SuppressWarnings("InlineFormatString") // Too long for that.
    private static final String SCRIPT =
        """
        : > "%1$s/$$"
        [ $RANK = 1 ] && { until [ -e "%2$s" ]; do sleep 0.05; done; exit 9; }
        exec yes 'a line that is rather long, so that there are not too many of them'
        """;

    private TalkingMain() {}

    public static void main(String[] arguments) {
      Supervisor supervisor =
          new Supervisor(
              new LaunchPlan(
                  Nodes.alone(2),
                  Optional.empty(),
                  Optional.empty(),
                  0,
                  Duration.ofSeconds(60),
                  OutputPlan.CONSOLE,
                  List.of(String.format(Locale.ROOT, SCRIPT, arguments[0], arguments[1]))),
              (line, _) -> List.of("/bin/sh", "-c", line.getFirst()),
              Console.system());
      Runtime.getRuntime().exit(LaunchCommand.run(supervisor));
    }
  }
}
