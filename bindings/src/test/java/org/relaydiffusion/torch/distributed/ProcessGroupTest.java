// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.torch.distributed.Peers.Outcome;

/** Two processes over loopback: what they exchange, and what each is told when the other fails. */
@EnabledOnOs(OS.LINUX)
class ProcessGroupTest {
  @TempDir private Path folder;

  @Test
  void aTcpStoreIsSeenByAll() throws Exception {
    bothSeeTheStore("tcpStore");
  }

  @Test
  void aFileStoreIsSeenByAll() throws Exception {
    bothSeeTheStore("fileStore");
  }

  private void bothSeeTheStore(String scenario) throws Exception {
    assertThat(Peers.run(folder, PeerMain.class, scenario))
        .containsExactly(
            new Outcome(0, List.of("rank 1", "empty 0", "counter 3"), ""),
            new Outcome(0, List.of("rank 0", "empty 0", "counter 3"), ""));
  }

  @Test
  void collectivesGiveEveryRankTheSameAndWriteNothingElse() throws Exception {
    Outcome expected =
        new Outcome(
            0,
            List.of(
                "sum [3.0, 30.0]",
                "max [1, 0]",
                "product [0.020000000000000004, 0.020000000000000004, 0.020000000000000004]",
                "bfloat16 [3.0, 3.0, 3.0]",
                "gathered [float32[1, 2][0.0, 7.0], float32[1, 2][1.0, 7.0]]",
                "broadcast [2.0, 2.0, 3.0, 4.0][2.0, 2.0, 3.0, 4.0]",
                "empty 2",
                "done"),
            "");
    assertThat(Peers.run(folder, PeerMain.class, "collectives"))
        .containsExactly(expected, expected);
  }

  @Test
  void aServerWaitsForTheOthersNoLongerThanItsTimeOut() throws Exception {
    assertThat(onlyLine(Peers.run(folder, PeerMain.class, "missing", 2, 0).getFirst()))
        .matches(
            "thrown PeerLostException: store 127\\.0\\.0\\.1:\\d+:"
                + " 1 of 2 processes did not come within 2 s");
  }

  @Test
  void aClientWaitsForTheServerNoLongerThanItsTimeOut() throws Exception {
    assertThat(onlyLine(Peers.run(folder, PeerMain.class, "missing", 2, 1).getFirst()))
        .matches(
            "thrown PeerLostException: store 127\\.0\\.0\\.1:\\d+ failed after \\d+\\.\\d s:"
                + " timed out after 2000ms: connection refused");
  }

  @Test
  void aBarrierTimesOutAndTheGroupStaysBroken() throws Exception {
    Outcome waiting = Peers.run(folder, PeerMain.class, "late").getFirst();
    assertThat(waiting.code()).isZero();
    assertThat(waiting.err()).isEmpty();
    assertThat(waiting.out()).hasSize(2);
    String first = waiting.out().get(0);
    assertThat(first)
        .matches("first barrier on rank 0 of 2 failed after \\d+\\.\\d s: Timed out waiting .*");
    assertThat(waiting.out().get(1))
        .isEqualTo(
            "thrown PeerLostException: the process group of rank 0 broke before: "
                + first.substring("first ".length()));
  }

  @Test
  void aKilledPeerEndsTheOperationLongBeforeItsTimeOut() throws Exception {
    Outcome left = Peers.run(folder, PeerMain.class, "killed").getFirst();
    assertThat(left.code()).isZero();
    assertThat(left.err()).isEmpty();
    assertThat(left.out()).hasSize(2).startsWith("together");
    assertThat(left.out().get(1))
        .matches(
            "thrown PeerLostException: all-reduce on rank 0 of 2 failed after"
                + " [1-4]?\\d\\.\\d s: .+");
  }

  @Test
  void shapesThatDifferAreNamedToBoth() throws Exception {
    List<Outcome> outcomes = Peers.run(folder, PeerMain.class, "shapes");
    assertThat(onlyLine(outcomes.get(0)))
        .isEqualTo(
            "thrown TorchException: all-reduce on rank 0 of 2: rank 0 brings all-reduce of"
                + " float32[3], rank 1 all-reduce of float32[4]");
    assertThat(onlyLine(outcomes.get(1)))
        .isEqualTo(
            "thrown TorchException: all-reduce on rank 1 of 2: rank 1 brings all-reduce of"
                + " float32[4], rank 0 all-reduce of float32[3]");
  }

  @Test
  void operationsThatDifferAreNamedToBoth() throws Exception {
    List<Outcome> outcomes = Peers.run(folder, PeerMain.class, "order");
    assertThat(onlyLine(outcomes.get(0)))
        .endsWith(": rank 0 brings barrier, rank 1 all-gather of float32[3]");
    assertThat(onlyLine(outcomes.get(1)))
        .endsWith(": rank 1 brings all-gather of float32[3], rank 0 barrier");
  }

  private static String onlyLine(Outcome outcome) {
    assertThat(outcome.code()).as(outcome.err()).isZero();
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out()).hasSize(1);
    return outcome.out().getFirst();
  }
}
