// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.launch.training.RankProcesses.Rank;

/** What signals do to a process that trains. */
@EnabledOnOs(OS.LINUX)
class TrainingSignalsTest {
  private static final String[] ENDLESS = {
    "--duration=1", "--tick=0.002", "--dump=0", "--snap=0", "--sample-ticks=0"
  };

  /** Signals that come sooner after the first one are taken for the same. */
  private static final long LATER_MILLIS = 1500;

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

  @Test
  void sigtermSavesAndEndsWithTheRunsOwnCode() throws Exception {
    Rank rank = ranks.train(Map.of("RDM_STOP_EXIT_CODE", "85"), ENDLESS);
    rank.untilSaid("tick 2 ");

    rank.signal("TERM");

    assertThat(rank.code()).as(rank.said()).isEqualTo(85);
    assertThat(rank.said()).contains("stopped at ").contains("training-state-");
  }

  /** The peer hangs, so the step in which the rank is asked to stop has no end. */
  @Test
  void aRankThatWaitsInTheMiddleOfAStepHeedsTheSecondInterruptAlone() throws Exception {
    int port = RankProcesses.freePort();
    Rank first = ranks.train(RankProcesses.ofTwo(0, "127.0.0.1", port), ENDLESS);
    Rank second = ranks.train(RankProcesses.ofTwo(1, "127.0.0.1", port), ENDLESS);
    first.untilSaid("tick 2 ");
    second.signal("STOP");

    first.signal("TERM");
    Thread.sleep(LATER_MILLIS);
    // As a scheduler may that reaches the time limit.
    first.signal("TERM");
    Thread.sleep(LATER_MILLIS);
    assertThat(first.process().isAlive()).as(first.said()).isTrue();

    first.signal("INT");
    assertThat(first.code()).as(first.said()).isEqualTo(130);
    assertThat(first.said()).contains("rdm: ended immediately, without saving");
  }

  @Test
  void aRunThatStopsOnNanFailsInOneLine() throws Exception {
    Rank rank =
        ranks.train(
            Map.of(),
            "--duration=1",
            "--tick=0.002",
            "--dump=1",
            "--snap=0",
            "--sample-ticks=0",
            "--lr=1e38",
            "--lr-rampup=0.001",
            "--stop-on-nan");

    assertThat(rank.code()).as(rank.said()).isEqualTo(1);
    assertThat(rank.said()).contains(" infinite or NaN (--stop-on-nan); no state is saved, ");
  }
}
