// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.launch.rank.Endpoint;
import org.relaydiffusion.torch.distributed.Store;
import org.relaydiffusion.torch.distributed.TcpStore;
import org.relaydiffusion.torch.distributed.WaitListener;

/** Several launchers, as on several nodes, that meet over this machine's loopback. */
@EnabledOnOs(OS.LINUX)
class SupervisorNodesTest {
  private static final String STOPS =
      "trap 'echo saved; exit 0' TERM; echo up $$; while :; do sleep 0.05; done";

  private static Endpoint freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return new Endpoint("127.0.0.1", socket.getLocalPort());
    }
  }

  private static List<ShellRun> start(int nodes, ShellRun.Plan plan) throws IOException {
    Endpoint at = freePort();
    List<ShellRun> runs = new ArrayList<>();
    // The last comes first: who comes early waits.
    for (int index = nodes - 1; index >= 0; index--) {
      runs.addFirst(plan.on(new Nodes(nodes, index, 2), at).start());
    }
    return runs;
  }

  @Test
  void ranksAreCountedOverAllNodes() throws Exception {
    List<ShellRun> runs =
        start(2, ShellRun.of(2, "echo $RANK/$WORLD_SIZE $GROUP_RANK $LOCAL_RANK"));

    for (ShellRun run : runs) {
      assertThat(run.code()).as(run.err()).isZero();
    }
    assertThat(runs.get(0).out().lines())
        .containsExactlyInAnyOrder("[rank 0] 0/4 0 0", "[rank 1] 1/4 0 1");
    assertThat(runs.get(1).out().lines())
        .containsExactlyInAnyOrder("[rank 2] 2/4 1 0", "[rank 3] 3/4 1 1");
  }

  @Test
  void ranksAreToldOfTheLaunchersStoreAndAllNodesCallTheRunTheSame() throws Exception {
    String script = "echo $TORCHELASTIC_USE_AGENT_STORE $MASTER_PORT $TORCHELASTIC_RUN_ID";
    Endpoint at = freePort();
    ShellRun.Plan plan = ShellRun.of(1, script);
    ShellRun first = plan.named(Optional.of("faces 1")).on(new Nodes(2, 0, 1), at).start();
    ShellRun second = plan.named(Optional.empty()).on(new Nodes(2, 1, 1), at).start();

    assertThat(first.code()).as(first.err()).isZero();
    assertThat(second.code()).as(second.err()).isZero();
    String expected = "True %s faces 1".formatted(at.port());
    assertThat(first.out().strip()).isEqualTo("[rank 0] " + expected);
    assertThat(second.out().strip()).isEqualTo("[rank 1] " + expected);
  }

  @Test
  void aRankThatFailsStopsTheOthersOnAllNodesAndOnlyItsOwnNodeSaysThatItFailed() throws Exception {
    List<ShellRun> runs =
        start(
            3,
            ShellRun.of(
                2,
                "trap '' TERM; echo up; [ $RANK = 3 ] && sleep 1 && exit 9;"
                    + " while :; do sleep 0.05; done"));
    runs.get(0).untilOut("rank 0] up", "rank 1] up");
    long began = System.nanoTime();

    assertThat(runs.get(0).code()).as(runs.get(0).err()).isEqualTo(75);
    assertThat(runs.get(1).code()).as(runs.get(1).err()).isEqualTo(1);
    assertThat(runs.get(2).code()).as(runs.get(2).err()).isEqualTo(75);
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(15));
    assertThat(runs.get(2).err())
        .contains("rank 3 ended with exit code 9 on another node")
        .contains("stopping ranks 4, 5");
    assertThat(runs.get(0).err()).contains("stopping ranks 0, 1");
  }

  /** The loss of a peer is noticed at once, but the node with the cause says what it was. */
  @Test
  void ofSeveralFailuresTheOneThatIsNoConsequenceIsNamed() throws Exception {
    List<ShellRun> runs =
        start(2, ShellRun.of(1, "[ $RANK = 0 ] && exit 9; sleep 0.2; exit 75"), 1);

    assertThat(runs.get(0).code()).as(runs.get(0).err()).isEqualTo(1);
    assertThat(runs.get(1).code()).as(runs.get(1).err()).isEqualTo(75);
    assertThat(runs.get(1).err()).contains("rank 0 ended with exit code 9 on another node");
  }

  private static List<ShellRun> start(int nodes, ShellRun.Plan plan, int processes)
      throws IOException {
    Endpoint at = freePort();
    List<ShellRun> runs = new ArrayList<>();
    for (int index = 0; index < nodes; index++) {
      runs.add(plan.on(new Nodes(nodes, index, processes), at).start());
    }
    return runs;
  }

  @Test
  void allNodesStartAgainTogether() throws Exception {
    String script =
        """
        echo "attempt $TORCHELASTIC_RESTART_COUNT"
        [ $TORCHELASTIC_RESTART_COUNT = 2 ] && exit 0
        [ $RANK = $((TORCHELASTIC_RESTART_COUNT * 3)) ] && exit 9
        while :; do sleep 0.05; done
        """;
    List<ShellRun> runs = start(2, ShellRun.of(2, script).restarts(2));

    for (ShellRun run : runs) {
      assertThat(run.code()).as(run.err()).isZero();
      assertThat(run.err()).contains("restart 1 of 2", "restart 2 of 2");
    }
  }

  @Test
  void whoIsAskedToStopAsksTheOthers() throws Exception {
    List<ShellRun> runs = start(2, ShellRun.of(2, STOPS));
    runs.get(0).untilOut("[rank 0] up", "[rank 1] up");
    runs.get(1).untilOut("[rank 2] up", "[rank 3] up");

    runs.get(1).supervisor().stop("SIGTERM", 143);

    for (ShellRun run : runs) {
      assertThat(run.code()).as(run.err()).isEqualTo(85);
      assertThat(run.out()).contains("saved");
    }
  }

  @Test
  void aNodeThatDoesNotFitIsTurnedAwayAndOthersMayStillCome() throws Exception {
    Endpoint at = freePort();
    ShellRun.Plan plan = ShellRun.of(2, "exit 0");
    ShellRun first = plan.on(new Nodes(2, 0, 2), at).start();
    ShellRun.until(() -> first.err().contains("waiting at %s for node 1".formatted(at)));

    ShellRun wrongCount = plan.on(new Nodes(2, 1, 1), at).start();
    assertThatThrownBy(wrongCount::code)
        .cause()
        .isInstanceOf(RdmException.class)
        .hasMessage("node 0 has --nproc_per_node=2, but this node has 1; they must be equal");
    ShellRun wrongRun = plan.named(Optional.of("other")).on(new Nodes(2, 1, 2), at).start();
    assertThatThrownBy(wrongRun::code).cause().hasMessageContaining("--rdzv_id=test");

    ShellRun right = plan.on(new Nodes(2, 1, 2), at).start();
    assertThat(right.code()).as(right.err()).isZero();
    assertThat(first.code()).as(first.err()).isZero();
  }

  @Test
  void strangersThatSayNothingOrNonsenseHoldUpNobody() throws Exception {
    Endpoint at = freePort();
    ShellRun.Plan plan = ShellRun.of(1, "sleep 1");
    ShellRun first = plan.on(new Nodes(2, 0, 1), at).start();
    ShellRun.until(() -> first.err().contains("waiting at"));

    try (Socket silent = new Socket(InetAddress.getLoopbackAddress(), at.port());
        Socket web = new Socket(InetAddress.getLoopbackAddress(), at.port())) {
      web.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(UTF_8));
      ShellRun second = plan.on(new Nodes(2, 1, 1), at).start();

      assertThat(second.code()).as(second.err()).isZero();
      assertThat(first.code()).as(first.err()).isZero();
      assertThat(silent.isConnected()).isTrue();
    }
  }

  @Test
  void whatAStrangerWritesIsShownWithoutWhatATerminalWouldObey() throws Exception {
    Endpoint at = freePort();
    ShellRun first = ShellRun.of(1, "echo up; exec sleep 60").on(new Nodes(2, 0, 1), at).start();
    ShellRun second = ShellRun.of(1, "echo up; exec sleep 60").on(new Nodes(2, 1, 1), at).start();
    first.untilOut("up");
    second.untilOut("up");

    Duration limit = Duration.ofSeconds(20);
    try (Store stranger = TcpStore.connect("127.0.0.1", at.port(), limit, WaitListener.NONE);
        Store keys = stranger.withPrefix("rdm/launch")) {
      String text = "1 false \u001b]0;owned\u0007\u001b[2J\nrdm launch: all is well\u202e";
      keys.set("failure/0", (text + "x".repeat(1 << 20)).getBytes(UTF_8));
      keys.add("news", 1);
    }

    assertThat(first.code()).isEqualTo(75);
    assertThat(second.code()).isEqualTo(75);
    assertThat(first.err()).doesNotContain("\u001b", "\u0007", "\u202e", "\nrdm launch: all is");
    assertThat(first.err()).hasSizeLessThan(20_000);
  }

  @Test
  void aNodeThatFallsSilentIsLost() throws Exception {
    Endpoint at = freePort();
    ShellRun first =
        ShellRun.of(1, "echo up; exec sleep 60")
            .silence(Duration.ofSeconds(3))
            .on(new Nodes(3, 0, 1), at)
            .start();
    ShellRun second = ShellRun.of(1, "echo up; exec sleep 60").on(new Nodes(3, 1, 1), at).start();
    ShellRun.until(() -> first.err().contains("waiting at %s for node 2".formatted(at)));

    try (NodeStore third = NodeStore.connect(at)) {
      assertThat(third.take(2, "", "a launcher that is killed at once")).isTrue();

      assertThat(first.code()).as(first.err()).isEqualTo(75);
      assertThat(second.code()).as(second.err()).isEqualTo(75);
    }
    assertThat(first.err()).contains("rdm launch: node 2 was lost", "stopping rank 0");
    assertThat(second.err()).contains("node 2 was lost on another node", "stopping rank 1");
  }

  @Test
  void aSecondLauncherForTheSameNodeIsTurnedAway() throws Exception {
    Endpoint at = freePort();
    ShellRun.Plan plan = ShellRun.of(1, "exit 0");
    ShellRun first = plan.on(new Nodes(3, 0, 1), at).start();
    ShellRun second = plan.on(new Nodes(3, 1, 1), at).start();
    ShellRun.until(() -> first.err().contains("waiting at %s for node 2\n".formatted(at)));

    ShellRun same = plan.on(new Nodes(3, 1, 1), at).start();
    assertThatThrownBy(same::code)
        .cause()
        .hasMessage("a node with --node_rank=1 has already joined at %s".formatted(at));

    ShellRun third = plan.on(new Nodes(3, 2, 1), at).start();
    for (ShellRun run : List.of(first, second, third)) {
      assertThat(run.code()).as(run.err()).isZero();
    }
  }

  @Test
  void aNodeThatWasStoppedWhileItWaitedMayComeAgain() throws Exception {
    Endpoint at = freePort();
    ShellRun.Plan plan = ShellRun.of(1, "exit 0");
    ShellRun first = plan.on(new Nodes(3, 0, 1), at).start();
    ShellRun second = plan.on(new Nodes(3, 1, 1), at).start();
    ShellRun.until(() -> first.err().contains("waiting at %s for node 2\n".formatted(at)));

    second.supervisor().stop("SIGINT", 130);
    assertThat(second.code()).isEqualTo(130);
    ShellRun.until(() -> first.err().endsWith("waiting at %s for nodes 1, 2\n".formatted(at)));

    ShellRun again = plan.on(new Nodes(3, 1, 1), at).start();
    ShellRun third = plan.on(new Nodes(3, 2, 1), at).start();
    for (ShellRun run : List.of(first, again, third)) {
      assertThat(run.code()).as(run.err()).isZero();
    }
  }

  /** Node 0 that waits for another, and another that waits for node 0, or does not know it. */
  @ParameterizedTest
  @ValueSource(strings = {"0 127.0.0.1", "1 127.0.0.1", "1 no-such-host.invalid"})
  void whoWaitsForOthersCanBeStopped(String nodeAndHost) throws Exception {
    String[] parts = nodeAndHost.split(" ", -1);
    Endpoint at = new Endpoint(parts[1], freePort().port());
    ShellRun run =
        ShellRun.of(2, "exit 0").on(new Nodes(2, Integer.parseInt(parts[0]), 2), at).start();
    ShellRun.until(() -> run.err().matches("(?s)rdm launch: (waiting at|joining).*"));
    Thread.sleep(500);
    long began = System.nanoTime();

    run.supervisor().stop("SIGINT", 130);

    assertThat(run.code()).isEqualTo(130);
    assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)).isLessThan(2000);
  }

  @Test
  void aTakenPortIsNamed() throws Exception {
    try (ServerSocket taken = new ServerSocket(0)) {
      Endpoint at = new Endpoint("127.0.0.1", taken.getLocalPort());
      ShellRun first = ShellRun.of(2, "exit 0").on(new Nodes(2, 0, 2), at).start();

      assertThatThrownBy(first::code)
          .cause()
          .isInstanceOf(RdmException.class)
          .hasMessageContaining("cannot listen on port %s (--master_port)".formatted(at.port()))
          .hasMessageContaining("address already in use");
    }
  }
}
