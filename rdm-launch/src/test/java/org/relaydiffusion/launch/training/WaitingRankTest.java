// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.launch.training.RankProcesses.Rank;

/** A rank whose peers do not come says so, and ends at once when it is asked to. */
@EnabledOnOs(OS.LINUX)
class WaitingRankTest {
  private static final Duration SOON = Duration.ofSeconds(2);

  /** A machine that is busy with other tests may be late once. */
  private static final int TRIES = 3;

  @TempDir private Path folder;

  private RankProcesses ranks;

  @BeforeEach
  void prepare() {
    ranks = new RankProcesses(folder);
  }

  @AfterEach
  void nothingIsLeftRunning() {
    ranks.close();
  }

  /** What ends a process. */
  @FunctionalInterface
  private interface End {
    void of(Rank rank) throws Exception;
  }

  /** Starts a rank, waits until it says what it waits for, and ends it. */
  private void assertEndsSoon(Map<String, String> variables, String says, int code, End end)
      throws Exception {
    Duration best = Duration.ofDays(1);
    for (int i = 0; i < TRIES && best.compareTo(SOON) > 0; i++) {
      Rank rank = ranks.train(variables);
      rank.untilSaid(says);
      long asked = System.nanoTime();
      end.of(rank);
      assertThat(rank.code()).as(rank.said()).isEqualTo(code);
      Duration took = Duration.ofNanos(System.nanoTime() - asked);
      best = took.compareTo(best) < 0 ? took : best;
    }
    assertThat(best).isLessThanOrEqualTo(SOON);
    assertThat(ranks.runs()).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130"})
  void theFirstRankSaysHowManyAreMissingAndEndsAtOnce(String signal, int code) throws Exception {
    int port = RankProcesses.freePort();
    assertEndsSoon(
        RankProcesses.ofTwo(0, "127.0.0.1", port),
        "rdm train: waiting for 1 of 2 processes at 127.0.0.1:" + port,
        code,
        rank -> rank.signal(signal));
  }

  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130"})
  void aRankWhoseMasterHasNoKnownNameSaysSoAndEndsAtOnce(String signal, int code) throws Exception {
    assertEndsSoon(
        RankProcesses.ofTwo(1, "no-such-host.invalid", 29500),
        "waiting for the server at no-such-host.invalid:29500: the host name is not known",
        code,
        rank -> rank.signal(signal));
  }

  @Test
  void aWaitingRankWhoseLauncherDiesEndsAtOnce() throws Exception {
    int port = RankProcesses.freePort();
    Map<String, String> variables = RankProcesses.ofTwo(1, "127.0.0.1", port);
    variables.put("RDM_LAUNCHER_WATCH", "300");
    assertEndsSoon(
        variables,
        "waiting for the server at 127.0.0.1:" + port,
        143,
        // The launcher holds the other end of this and never writes.
        rank -> rank.process().getOutputStream().close());
  }
}
