// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;

/** Real processes: shell scripts as ranks. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the ranks are scripts for a POSIX shell")
class SupervisorTest {
  /** Stops like train: finishes its step, saves, ends with 0. */
  private static final String STOPS_WELL =
      """
      trap 'echo saving; sleep 0.3; echo saved; exit 0' TERM
      echo "up $$"
      while :; do sleep 0.05; done
      """;

  private static final String NEVER_STOPS =
      """
      trap '' TERM INT
      echo "up $$"
      while :; do sleep 0.05; done
      """;

  @TempDir private Path folder;

  private static List<String> lines(String text) {
    return text.lines().toList();
  }

  private static long pid(ShellRun run, int rank) {
    Matcher matcher = Pattern.compile("\\[rank %s] up (\\d+)".formatted(rank)).matcher(run.out());
    assertThat(matcher.find()).as(run.out()).isTrue();
    return Long.parseLong(matcher.group(1));
  }

  private static boolean isAlive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  @Test
  void everyRankFindsItsVariables() throws Exception {
    ShellRun run = ShellRun.of(2, "echo $RANK/$WORLD_SIZE $LOCAL_RANK/$LOCAL_WORLD_SIZE").start();

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(lines(run.out())).containsExactlyInAnyOrder("[rank 0] 0/2 0/2", "[rank 1] 1/2 1/2");
    assertThat(run.err()).isEmpty();
  }

  /** Whoever is to join a run on one node must be able to enter its folder. */
  @Test
  void ranksOfOneNodeMeetInAFolderThatNobodyElseCanEnterAndThatIsRemoved() throws Exception {
    String script =
        """
        stat -c '%a %U' "${RDM_RENDEZVOUS_FILE%/*}"; echo "$RDM_RENDEZVOUS_FILE"
        [ $TORCHELASTIC_RESTART_COUNT = 0 ] && : > "$RDM_RENDEZVOUS_FILE" && exit 9
        exit 0
        """;
    ShellRun run = ShellRun.of(1, script).restarts(1).start();

    assertThat(run.code()).as(run.err()).isZero();
    List<String> lines = lines(run.out().replace("[rank 0] ", ""));
    assertThat(lines.get(0)).isEqualTo("700 " + System.getProperty("user.name"));
    assertThat(lines.get(2)).isEqualTo(lines.get(0));
    assertThat(lines.get(1)).isNotEqualTo(lines.get(3));
    assertThat(Path.of(lines.get(1)).getParent()).doesNotExist();
  }

  @Test
  void aRunWithoutANameGetsOneThatStaysTheSameAndNoOtherHas() throws Exception {
    String script =
        "echo $TORCHELASTIC_RUN_ID; [ $RANK.$TORCHELASTIC_RESTART_COUNT != 1.0 ] || exit 9";
    Set<String> names = new HashSet<>();
    for (int i = 0; i < 2; i++) {
      ShellRun run = ShellRun.of(2, script).named(Optional.empty()).restarts(1).start();
      assertThat(run.code()).as(run.err()).isZero();
      Set<String> ofThisRun = new HashSet<>();
      lines(run.out()).forEach(line -> ofThisRun.add(line.replaceFirst("\\[rank [01]] ", "")));
      assertThat(ofThisRun).hasSize(1).doesNotContain("none", "");
      names.addAll(ofThisRun);
    }
    assertThat(names).hasSize(2);
  }

  @Test
  void aDocumentIsThatOfRank0OfTheLastAttemptAsItIs() throws Exception {
    String script =
        """
        echo "working" >&2
        printf '{"rank": %s,\\n\\n "attempt": %s}\\n' $RANK $TORCHELASTIC_RESTART_COUNT
        [ $RANK = 1 ] && [ $TORCHELASTIC_RESTART_COUNT = 0 ] && sleep 0.5 && exit 9
        exit 0
        """;
    ShellRun run = ShellRun.of(2, script).restarts(1).results(OutputPlan.Results.OF_RANK_0).start();

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).isEqualTo("{\"rank\": 0,\n\n \"attempt\": 1}\n");
    assertThat(run.err()).contains("[rank 0] working", "[rank 1] working");
  }

  @Test
  void aDocumentOfOneLongLineIsNotCut() throws Exception {
    ShellRun run =
        ShellRun.of(1, "printf '\"'; head -c 300000 /dev/zero | tr '\\0' x; echo '\"'")
            .results(OutputPlan.Results.OF_RANK_0)
            .start();

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).isEqualTo("\"%s\"\n".formatted("x".repeat(300_000)));
  }

  @Test
  void theRankThatLostAnotherIsNotBlamedForIt() throws Exception {
    ShellRun run =
        ShellRun.of(2, "[ $RANK = 0 ] && exit 75; sleep 0.3; echo broken >&2; exit 9").start();

    assertThat(run.code()).as(run.err()).isEqualTo(1);
    assertThat(run.err()).contains("  | broken").endsWith("rdm: rank 1 ended with exit code 9\n");
  }

  @Test
  void whereOnlyALostRankIsKnownTheLauncherSaysSoToo() throws Exception {
    ShellRun run = ShellRun.of(2, "[ $RANK = 0 ] && exit 75; exec sleep 60").start();

    assertThat(run.code()).as(run.err()).isEqualTo(75);
    assertThat(run.err()).endsWith("rdm: rank 0 lost another rank (exit code 75)\n");
  }

  @Test
  void linesOfDifferentRanksAreNeverTorn() throws Exception {
    String script =
        """
        i=0
        while [ $i -lt 300 ]; do
          printf 'rank%d-' $RANK; printf 'line%d-' $i; printf 'end\\n'
          i=$((i + 1))
        done
        printf 'no line end'
        """;
    ShellRun run = ShellRun.of(3, script).start();

    assertThat(run.code()).isZero();
    for (int rank = 0; rank < 3; rank++) {
      String prefix = "[rank %s] ".formatted(rank);
      int r = rank;
      assertThat(lines(run.out()).stream().filter(line -> line.startsWith(prefix)))
          .containsExactlyElementsOf(
              IntStream.rangeClosed(0, 300)
                  .mapToObj(i ->
                      prefix + (i == 300 ? "no line end" : "rank%s-line%s-end".formatted(r, i)))
                  .toList());
    }
    assertThat(lines(run.out())).hasSize(3 * 301);
  }

  @Test
  void aFailedRankIsNamedWithItsCodeAndItsLastLines() throws Exception {
    String script =
        """
        if [ $RANK = 1 ]; then
          i=0; while [ $i -lt 30 ]; do echo "error $i" >&2; i=$((i + 1)); done
          exit 3
        fi
        while :; do sleep 0.05; done
        """;
    ShellRun run = ShellRun.of(3, script).start();

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .containsPattern("rdm launch: rank 1 ended with exit code 3 \\(process \\d+, attempt 0\\)")
        .contains("  | error 10\n", "  | error 29\n")
        .doesNotContain("  | error 9\n")
        .contains("rdm launch: stopping ranks 0, 2")
        .endsWith("rdm: rank 1 ended with exit code 3\n");
  }

  @Test
  void aKilledRankStopsTheOthersWithinTenSecondsEvenThoseThatWillNotStop() throws Exception {
    ShellRun run = ShellRun.of(3, NEVER_STOPS).start();
    run.untilOut("[rank 0] up", "[rank 1] up", "[rank 2] up");
    long began = System.nanoTime();

    ProcessHandle.of(pid(run, 2)).orElseThrow().destroyForcibly();

    assertThat(run.code()).isEqualTo(1);
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
    assertThat(isAlive(pid(run, 0))).isFalse();
    assertThat(isAlive(pid(run, 1))).isFalse();
    assertThat(run.err())
        .contains("rdm launch: rank 2 was killed by SIGKILL (exit code 137)")
        .contains("it wrote nothing to standard error")
        .contains("ranks 0, 1 did not stop in time: killing")
        .endsWith("rdm: rank 2 was killed by SIGKILL (exit code 137)\n");
  }

  @Test
  void aRankThatIsStoppedFromOutsideIsAFailureToo() throws Exception {
    ShellRun run = ShellRun.of(2, "echo up $$; while :; do sleep 0.05; done").start();
    run.untilOut("[rank 0] up", "[rank 1] up");

    ProcessHandle.of(pid(run, 0)).orElseThrow().destroy();

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("rank 0 was killed by SIGTERM (exit code 143)");
  }

  @Test
  void whileRestartsLastAllRanksAreStartedAgain() throws Exception {
    String script =
        """
        echo "attempt $TORCHELASTIC_RESTART_COUNT of $TORCHELASTIC_MAX_RESTARTS"
        [ $TORCHELASTIC_RESTART_COUNT = 2 ] && exit 0
        [ $RANK = 0 ] && exit 7
        while :; do sleep 0.05; done
        """;
    ShellRun run = ShellRun.of(2, script).restarts(3).start();

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(lines(run.out()))
        .contains("[rank 0] attempt 0 of 3", "[rank 0] attempt 1 of 3", "[rank 1] attempt 2 of 3");
    assertThat(run.err())
        .contains("restarting all ranks (restart 1 of 3)")
        .contains("restarting all ranks (restart 2 of 3)")
        .doesNotContain("restart 3");
  }

  @Test
  void whenNoRestartIsLeftItIsSaid() throws Exception {
    ShellRun run = ShellRun.of(2, "exit $((4 + RANK * 0))").restarts(1).start();

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .containsPattern("rdm: rank [01] ended with exit code 4, and no restarts are left\n$");
  }

  @Test
  void aWrongCommandLineIsNotTriedAgain() throws Exception {
    ShellRun run = ShellRun.of(1, "exit 2").restarts(5).start();

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).doesNotContain("again");
  }

  @Test
  void askedToStopTheRanksFinishAndSave() throws Exception {
    ShellRun run = ShellRun.of(2, STOPS_WELL).restarts(2).start();
    run.untilOut("[rank 0] up", "[rank 1] up");

    run.supervisor().stop("SIGTERM", 143);

    // The scheduler's own wish, see ShellRun: it must not take a stopped run for a finished one.
    assertThat(run.code()).isEqualTo(85);
    assertThat(lines(run.out())).contains("[rank 0] saved", "[rank 1] saved");
    assertThat(run.err())
        .contains("SIGTERM: waiting for ranks 0, 1 to finish the step and save")
        .doesNotContain("all ranks (restart");
  }

  @Test
  void ranksThatASignalEndsMakeItTheLaunchersOwnAnswer() throws Exception {
    ShellRun run = ShellRun.of(2, "echo up; while :; do sleep 0.05; done").start();
    run.untilOut("[rank 0] up", "[rank 1] up");

    run.supervisor().stop("SIGINT", 130);

    assertThat(run.code()).isEqualTo(130);
  }

  /** A terminal sends Ctrl-C to all: a rank may be gone before the launcher hears of it. */
  @Test
  void aRankThatStopsJustBeforeTheLauncherIsAskedToIsNoFailure() throws Exception {
    ShellRun run = ShellRun.of(2, STOPS_WELL.replace("exit 0", "exit 130")).start();
    run.untilOut("[rank 0] up", "[rank 1] up");

    ProcessHandle.of(pid(run, 0)).orElseThrow().destroy();
    ShellRun.until(() -> !isAlive(pid(run, 0)));
    run.supervisor().stop("SIGINT", 130);

    assertThat(run.code()).isEqualTo(130);
    assertThat(run.out()).contains("[rank 1] saved");
    assertThat(run.err()).doesNotContain("process ");
  }

  @Test
  void aRankThatFailsToSaveIsAFailure() throws Exception {
    ShellRun run =
        ShellRun.of(1, STOPS_WELL.replace("exit 0", "echo disk full >&2; exit 1")).start();
    run.untilOut("[rank 0] up");

    run.supervisor().stop("SIGTERM", 143);

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("  | disk full", "rdm: rank 0 ended with exit code 1");
  }

  @Test
  void askedAgainTheyAreKilled() throws Exception {
    ShellRun run = ShellRun.of(2, NEVER_STOPS).start();
    run.untilOut("[rank 0] up", "[rank 1] up");

    run.supervisor().stop("SIGINT", 130);
    run.supervisor().kill("SIGINT");

    assertThat(run.code()).isEqualTo(130);
    assertThat(run.err()).contains("SIGINT again: killing the remaining ranks");
    assertThat(isAlive(pid(run, 0))).isFalse();
  }

  @Test
  void patienceEnds() throws Exception {
    ShellRun run = ShellRun.of(2, NEVER_STOPS).patience(Duration.ofMillis(300)).start();
    run.untilOut("[rank 0] up", "[rank 1] up");

    run.supervisor().stop("SIGTERM", 143);

    assertThat(run.code()).isEqualTo(143);
    assertThat(run.err()).contains("ranks 0, 1 did not stop in time: killing");
  }

  @Test
  void logsAreOneFileARankAndAttempt() throws Exception {
    String script =
        """
        echo "out $RANK"; echo "err $RANK" >&2
        [ $TORCHELASTIC_RESTART_COUNT = 0 ] || exit 0
        # The rank that fails has the other ended: not before that one has said all.
        [ $RANK = 0 ] || { : > "%1$s"; exec sleep 60; }
        until [ -e "%1$s" ]; do sleep 0.01; done
        exit 5
        """
            .formatted(folder.resolve("said"));
    ShellRun run = ShellRun.of(2, script).restarts(1).output(folder, StreamChoice.NONE).start();

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).isEmpty();
    for (int attempt = 0; attempt < 2; attempt++) {
      for (int rank = 0; rank < 2; rank++) {
        Path log = folder.resolve("attempt_%s/rank_%s.log".formatted(attempt, rank));
        assertThat(Files.readAllLines(log))
            .anyMatch(line -> line.matches("rdm launch: \\S+Z, rank \\d, process \\d+"))
            .contains("out " + rank, "err " + rank);
      }
    }
    assertThat(run.err()).containsPattern("\\| err [01]");
  }

  @Test
  void aLaterRunGoesOnInTheSameLogAndTeeShowsItToo() throws Exception {
    for (int i = 0; i < 2; i++) {
      ShellRun run = ShellRun.of(1, "echo run " + i).output(folder, StreamChoice.BOTH).start();
      assertThat(run.code()).isZero();
      assertThat(run.out()).isEqualTo("[rank 0] run %s\n".formatted(i));
    }
    assertThat(Files.readAllLines(folder.resolve("attempt_0/rank_0.log")))
        .contains("run 0", "run 1")
        .hasSize(4);
  }

  @Test
  void aFolderThatCannotBeMadeIsNamedAndLeavesNoProcess() throws Exception {
    Path file = Files.writeString(folder.resolve("taken"), "a file");
    ShellRun run = ShellRun.of(1, "exit 0").output(file, StreamChoice.NONE).start();

    assertThatThrownBy(run::code)
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(FileException.class)
        .hasMessageContaining("rank_0.log");
  }
}
