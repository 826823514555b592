// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.torch.distributed.Peers.Outcome;

/**
 * Two processes over NCCL through its C interface. Nothing here needs a GPU, but a LibTorch with
 * CUDA over a runtime that has none: RDM_NULL_CUDA names its folder. In NCCL's place is {@code
 * nccl_stand_in.c}, which combines tensors of several processes, waits for all of them, and can
 * report errors; it is compiled here.
 */
@Tag("gpu")
class NcclTest {
  private static final int MOST_SECONDS = 10;

  @TempDir private static Path library;
  @TempDir private Path folder;

  private static String runtime = "";

  @BeforeAll
  static void compileTheStandIn() throws Exception {
    runtime = Objects.requireNonNullElse(System.getenv("RDM_NULL_CUDA"), "");
    assumeTrue(
        !runtime.isEmpty(),
        "RDM_NULL_CUDA names no folder of a LibTorch with CUDA that runs without a GPU");
    assumeTrue(
        List.of(System.getenv("PATH").split(File.pathSeparator)).stream()
            .anyMatch(f -> Files.isExecutable(Path.of(f, "cc"))),
        "there is no C compiler (cc)");
    Process cc =
        new ProcessBuilder(
                "cc",
                "-O2",
                "-shared",
                "-fPIC",
                "-w",
                "-Wl,-soname,libnccl.so.2",
                "-o",
                library.resolve("libnccl.so.2").toString(),
                Path.of("src/test/c/nccl_stand_in.c").toAbsolutePath().toString(),
                "-lpthread",
                "-ldl")
            .inheritIO()
            .start();
    assertThat(cc.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(cc.exitValue()).isZero();
  }

  private List<Outcome> run(String scenario, String... settings) throws Exception {
    Map<String, String> environment = new HashMap<>();
    environment.put("RDM_LIBTORCH", runtime);
    environment.put("LD_LIBRARY_PATH", library + File.pathSeparator + runtime);
    environment.put("NULLCUDA_OUT", folder.resolve("counts.txt").toString());
    environment.put("STAND_IN_LOG", folder.resolve("nccl.txt").toString());
    for (String setting : settings) {
      String[] parts = setting.split("=", 2);
      environment.put(parts[0], parts[1]);
    }
    return Peers.run(folder, NcclPeerMain.class, scenario, environment);
  }

  private List<String> log() throws Exception {
    return Files.readAllLines(folder.resolve("nccl.txt"));
  }

  private static void endedSoon(Outcome outcome) {
    endedWithin(MOST_SECONDS, outcome);
  }

  private static void endedWithin(int seconds, Outcome outcome) {
    assertThat(outcome.code()).as(outcome.err()).isZero();
    String last = outcome.out().getLast();
    assertThat(last).matches("ended after \\d+ s");
    assertThat(Integer.parseInt(last.replaceAll("\\D", ""))).isLessThan(seconds);
  }

  @Test
  void collectivesGiveEveryRankTheSame() throws Exception {
    List<Outcome> outcomes = run("collectives");
    for (Outcome outcome : outcomes) {
      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.out())
          .startsWith(
              "sum [3.0, 30.0]",
              "max [1, 0]",
              "min [0, -1]",
              "product [6.0, 0.25]",
              "broadcast [1.0, 7.0][4, 9]",
              "gathered [float32[1, 2][0.0, 7.0], float32[1, 2][1.0, 7.0]]",
              "any [1, 1, 0] all [1, 0, 0]",
              "here [3.0, 0.5]",
              "here [1, 5]",
              "here [[0], [1]]",
              "done");
    }
    // ncclConfig_t arrived as it was meant: not blocking, version 2.27.0.
    assertThat(log())
        .contains("init rank 0 of 2, blocking 0, 22700", "init rank 1 of 2, blocking 0, 22700")
        .contains("destroy rank 0", "destroy rank 1");
    nobodyWasOnAnotherDevice();
  }

  /** CUDA makes a context, some hundred MB, on each device that a thread is given. */
  private void nobodyWasOnAnotherDevice() throws Exception {
    assertThat(log()).noneMatch(line -> line.contains("on device"));
  }

  @Test
  void gradientsAreAveragedByOneGroup() throws Exception {
    for (Outcome outcome : run("many")) {
      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.out()).startsWith("wrong 0");
    }
    // Three steps of two ranks, two tensors each; ncclFloat32 and ncclAvg by their numbers.
    assertThat(log().stream().filter("group of 2 on rank 0"::equals)).hasSize(3);
    assertThat(log().stream().filter("op 4 type 7 count 300000 root -1"::equals)).hasSize(12);
  }

  @Test
  void aKilledPeerEndsTheOtherInWords() throws Exception {
    Outcome left = run("killed").getFirst();
    endedSoon(left);
    assertThat(left.out()).hasSize(3).startsWith("together");
    assertThat(left.out().get(1))
        .matches(
            "thrown PeerLostException: all-reduce on rank 0 of 2 failed after \\d\\.\\d s:"
                + " rank 1 has ended: its connection was closed");
  }

  @Test
  void aPeerThatIsKilledWhileNcclWaitsEndsTheOtherInWords() throws Exception {
    // Rank 1 agrees and then never issues; its death is what ends the wait of rank 0.
    Outcome left = run("killed", "STAND_IN_HANG_AFTER=1").getFirst();
    endedSoon(left);
    assertThat(left.out().get(1)).contains("rank 1 has ended");
  }

  @Test
  void anOperationThatOneRankNeverIssuesIsAborted() throws Exception {
    List<Outcome> outcomes = run("hangs", "STAND_IN_HANG_AFTER=1");
    for (Outcome outcome : outcomes) {
      endedSoon(outcome);
      assertThat(outcome.out()).hasSize(4).startsWith("together");
      assertThat(outcome.out().get(1))
          .matches(
              "first all-reduce on rank \\d of 2 failed after \\d\\.\\d s: .*timed out after.*");
      assertThat(outcome.out().get(2)).contains("PeerLostException", "broke before: all-reduce");
    }
    assertThat(log()).contains("abort rank 0", "abort rank 1");
  }

  @Test
  void anErrorThatNcclReportsLaterIsTold() throws Exception {
    for (Outcome outcome : run("error", "STAND_IN_ERROR_AFTER=1")) {
      endedSoon(outcome);
      assertThat(String.join("\n", outcome.out()))
          .contains("NCCL reports remote process exited or there was a network error")
          .contains("stand-in: the link to a peer is down");
    }
    assertThat(log()).contains("abort rank 0", "abort rank 1");
  }

  @Test
  void aPeerThatNeverComesIsGivenUp() throws Exception {
    List<Outcome> outcomes = run("neverComes");
    endedSoon(outcomes.getFirst());
    assertThat(outcomes.getFirst().out().getFirst())
        .matches(
            "thrown PeerLostException: store .*: connecting rank 0 of 2 over NCCL failed after"
                + " \\d\\.\\d s: timed out after 4000 ms: not all ranks came");
    // The other one is told why.
    assertThat(outcomes.get(1).out().getFirst())
        .isEqualTo("lost rank 0: timed out after 4000 ms: not all ranks came");
    assertThat(log()).contains("abort rank 0");
  }

  @Test
  void shapesThatDifferAreNamedToBoth() throws Exception {
    for (Outcome outcome : run("differ")) {
      endedSoon(outcome);
      assertThat(outcome.out().getFirst()).contains("float32[3]", "float32[4]");
    }
  }

  @Test
  void nobodyAsksForTheStateOfWhatIsFreed() throws Exception {
    for (Outcome outcome : run("ends", "STAND_IN_SLOW_STATE=60")) {
      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.code()).isZero();
    }
    assertThat(log().stream().filter("destroy rank 1"::equals)).hasSize(5);
    nobodyWasOnAnotherDevice();
  }

  @Test
  void whatDoesNotEndIsAbortedOnceAndLeftBehind() throws Exception {
    for (Outcome outcome : run("collectives", "STAND_IN_FINALIZE=1", "STAND_IN_ABORT_HANGS=1")) {
      assertThat(outcome.code()).as(outcome.err()).isZero();
      assertThat(outcome.out()).contains("done");
      assertThat(outcome.err()).contains("NCCL does not end its communicator of CUDA device");
    }
    assertThat(log().stream().filter("abort rank 0"::equals)).hasSize(1);
    nobodyWasOnAnotherDevice();
  }

  @Test
  void whatDoesNotEndIsAborted() throws Exception {
    for (Outcome outcome : run("collectives", "STAND_IN_FINALIZE=1")) {
      assertThat(outcome.err()).isEmpty();
    }
    assertThat(log()).contains("abort rank 0", "abort rank 1").doesNotContain("destroy rank 0");
  }

  @Test
  void anAbortThatHangsHoldsUpNobodyForLong() throws Exception {
    Outcome left = run("vanishes", "STAND_IN_ABORT_HANGS=1").getFirst();
    endedWithin(25, left);
    assertThat(left.out().get(1))
        .matches(
            "thrown PeerLostException: all-reduce on rank 0 of 2 failed after .*"
                + "rank 1 has ended: its connection was closed");
  }

  @Test
  void aPeerThatLeavesInTheMiddleEndsTheOtherInWords() throws Exception {
    Outcome left = run("leaves").getFirst();
    endedWithin(25, left);
    assertThat(left.out().get(1))
        .matches(
            "thrown PeerLostException: all-reduce on rank 0 of 2 failed after .*rank 1 has left");
  }

  @Test
  void anOldNcclIsRefused() throws Exception {
    for (Outcome outcome : run("collectives", "STAND_IN_VERSION=21703")) {
      assertThat(outcome.out().getFirst())
          .contains("NativeLibraryException", "is version 2.17.3: 2.18.0 or newer is needed");
    }
  }
}
