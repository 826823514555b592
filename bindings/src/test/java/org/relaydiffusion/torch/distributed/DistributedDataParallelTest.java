// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.torch.distributed.Peers.Outcome;

/**
 * Gradients of two processes. Halving before the sum or after it rounds alike, so that two ranks
 * must have the mean of what single processes compute to the bit.
 */
@EnabledOnOs(OS.LINUX)
class DistributedDataParallelTest {
  private static final String SAME = "same in 6 parameters, 737664 numbers";

  @TempDir private Path folder;

  @Test
  void gradientsAreTheMeanToTheBit() throws Exception {
    Outcome expected =
        new Outcome(
            0,
            List.of(
                "scale true",
                "round 0: " + SAME,
                "round 1: " + SAME,
                "round 2: " + SAME,
                "alone " + SAME),
            "");
    assertThat(Peers.run(folder, ParallelPeerMain.class, "gradients"))
        .containsExactly(expected, expected);
  }

  @Test
  void accumulatedRoundsAreAveragedOnce() throws Exception {
    Outcome expected = new Outcome(0, List.of(SAME, SAME), "");
    assertThat(Peers.run(folder, ParallelPeerMain.class, "accumulate"))
        .containsExactly(expected, expected);
  }

  @Test
  void parametersThatAPassLeavesOutAreFoundWhereThatIsAskedFor() throws Exception {
    Outcome expected =
        new Outcome(
            0, List.of("b true", "b has 0 numbers", "same in 6 parameters, 590208 numbers"), "");
    assertThat(Peers.run(folder, ParallelPeerMain.class, "unused"))
        .containsExactly(expected, expected);
  }

  @Test
  void aParameterThatWasLeftOutOtherwiseIsNamed() throws Exception {
    for (Outcome outcome : Peers.run(folder, ParallelPeerMain.class, "forgotten")) {
      assertThat(outcome.code()).isZero();
      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.out()).hasSize(2).startsWith("went back");
      assertThat(outcome.out().get(1))
          .matches(
              "thrown TorchException: forward on rank \\d of 2 failed after [1-4]?\\d\\.\\d s: the"
                  + " last backward pass reached no b, and unused parameters are not looked for");
    }
  }

  /** Also where the gradients are sent while segments are recomputed. */
  @ParameterizedTest
  @ValueSource(strings = {"killed", "recomputed killed"})
  void aPeerThatIsKilledBeforeItsBackwardPassEndsTheOthers(String scenario) throws Exception {
    Outcome left = Peers.run(folder, ParallelPeerMain.class, scenario).getFirst();
    assertThat(left.code()).isZero();
    assertThat(left.err()).isEmpty();
    assertThat(left.out()).hasSize(2);
    assertThat(left.out().get(0))
        .matches("first backward on rank 0 of 2 failed after [1-4]?\\d\\.\\d s: .+");
    assertThat(left.out().get(1))
        .startsWith("thrown PeerLostException: the process group of rank 0 broke before: backward");
  }

  /** By one call after the backward pass, in buckets of small gradients or where large ones lie. */
  @ParameterizedTest
  @ValueSource(strings = {"grouped gradients", "groupedWide gradients"})
  void groupedGradientsAreTheMeanToTheBit(String scenario) throws Exception {
    for (Outcome outcome : Peers.run(folder, ParallelPeerMain.class, scenario)) {
      assertThat(outcome.code()).as(outcome.err()).isZero();
      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.out()).hasSize(5).startsWith("scale true");
      assertThat(outcome.out().subList(1, 5))
          .allMatch(line -> line.contains("same in 6 parameters"));
    }
  }

  @Test
  void groupedRoundsAreAveragedOnce() throws Exception {
    Outcome expected = new Outcome(0, List.of(SAME, SAME), "");
    assertThat(Peers.run(folder, ParallelPeerMain.class, "grouped accumulate"))
        .containsExactly(expected, expected);
  }

  @Test
  void groupedParametersThatAPassLeavesOutAreFoundWhereThatIsAskedFor() throws Exception {
    Outcome expected =
        new Outcome(
            0, List.of("b true", "b has 0 numbers", "same in 6 parameters, 590208 numbers"), "");
    assertThat(Peers.run(folder, ParallelPeerMain.class, "grouped unused"))
        .containsExactly(expected, expected);
  }

  @Test
  void groupedGradientsOfAnyLayoutMeet() throws Exception {
    Outcome expected = new Outcome(0, List.of("oblong true", "cube true"), "");
    assertThat(Peers.run(folder, ParallelPeerMain.class, "grouped channelsLast"))
        .containsExactly(expected, expected);
  }

  @Test
  void anotherOperationThanAveragingIsNamedToAll() throws Exception {
    for (Outcome outcome : Peers.run(folder, ParallelPeerMain.class, "grouped mixed")) {
      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.out().getFirst()).contains("barrier", "averaging gradients");
    }
  }

  @Test
  void aParameterThatAGroupedPassLeftOutIsNamedToAll() throws Exception {
    for (Outcome outcome : Peers.run(folder, ParallelPeerMain.class, "grouped forgotten")) {
      assertThat(outcome.code()).isZero();
      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.out()).hasSize(1);
      assertThat(outcome.out().getFirst())
          .matches(
              "thrown TorchException: backward on rank \\d of 2: rank 0 reached no b, and unused"
                  + " parameters are not looked for");
    }
  }

  @Test
  void aPeerThatIsKilledBeforeItsGroupedPassEndsTheOthers() throws Exception {
    Outcome left = Peers.run(folder, ParallelPeerMain.class, "grouped killed").getFirst();
    assertThat(left.code()).isZero();
    assertThat(left.err()).isEmpty();
    assertThat(left.out()).hasSize(2);
    assertThat(left.out().get(0))
        .matches("first .+ on rank 0 of 2 failed after [1-4]?\\d\\.\\d s: .+");
    assertThat(left.out().get(1))
        .startsWith("thrown PeerLostException: the process group of rank 0 broke before: ");
  }

  @Test
  void networksThatDifferAreRefused() throws Exception {
    for (Outcome outcome : Peers.run(folder, ParallelPeerMain.class, "differ")) {
      assertThat(outcome.code()).isZero();
      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.out()).hasSize(1);
      assertThat(outcome.out().getFirst())
          .contains("data-parallel set-up", "float32[8, 8]", "float32[9, 9]");
    }
  }
}
