package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.launch.rank.Rendezvous;

/** Several launchers, as on several machines, that meet over this machine's loopback. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the ranks are scripts for a POSIX shell")
class SupervisorMachinesTest {
  private static final String STOPS =
      "trap 'echo saved; exit 0' TERM; echo up $$; while :; do sleep 0.05; done";

  /** A port whose next one is free as well. */
  private static Rendezvous freePorts() throws IOException {
    while (true) {
      try (ServerSocket first = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
          ServerSocket _ = new ServerSocket(first.getLocalPort() + 1)) {
        return new Rendezvous("127.0.0.1", first.getLocalPort());
      } catch (IOException | IllegalArgumentException e) {
        // The next one is taken: another pair.
      }
    }
  }

  private static List<ShellRun> start(int machines, ShellRun.Plan plan) throws IOException {
    Rendezvous at = freePorts();
    List<ShellRun> runs = new ArrayList<>();
    // The last comes first: who comes early waits.
    for (int index = machines - 1; index >= 0; index--) {
      runs.addFirst(plan.on(new Machines(machines, index, 2), at).start());
    }
    return runs;
  }

  @Test
  void ranksAreCountedOverAllMachines() throws Exception {
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
  void aRankThatFailsStopsTheOthersOnAllMachinesWithinTenSeconds() throws Exception {
    List<ShellRun> runs =
        start(
            3,
            ShellRun.of(
                2,
                "trap '' TERM; echo up; [ $RANK = 3 ] && sleep 1 && exit 9;"
                    + " while :; do sleep 0.05; done"));
    runs.get(0).untilOut("rank 0] up", "rank 1] up");
    long began = System.nanoTime();

    for (ShellRun run : runs) {
      assertThat(run.code()).isEqualTo(1);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(11));
    assertThat(runs.get(2).err())
        .contains("rank 3 ended with exit code 9 on another machine")
        .contains("stopping ranks 4, 5");
    assertThat(runs.get(0).err()).contains("stopping ranks 0, 1");
  }

  @Test
  void allMachinesStartAgainTogether() throws Exception {
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
      assertThat(run.code()).isEqualTo(85);
      assertThat(run.out()).contains("saved");
    }
  }

  @Test
  void aMachineThatDoesNotFitIsTurnedAwayAndOthersMayStillCome() throws Exception {
    Rendezvous at = freePorts();
    ShellRun.Plan plan = ShellRun.of(2, "exit 0");
    ShellRun first = plan.on(new Machines(2, 0, 2), at).start();
    ShellRun.until(() -> first.err().contains("waiting at"));

    ShellRun wrongCount = plan.on(new Machines(2, 1, 1), at).start();
    assertThatThrownBy(wrongCount::code)
        .cause()
        .isInstanceOf(RdmException.class)
        .hasMessage(
            "the first machine refused this one: it has --nproc_per_node=1, the first machine 2");
    ShellRun wrongRun = plan.named("other").on(new Machines(2, 1, 2), at).start();
    assertThatThrownBy(wrongRun::code).cause().hasMessageContaining("--rdzv_id=other");
    try (Socket stranger = new Socket("127.0.0.1", at.port() + 1);
        OutputStream out = stranger.getOutputStream()) {
      out.write("GET / HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    }

    ShellRun right = plan.on(new Machines(2, 1, 2), at).start();
    assertThat(right.code()).isZero();
    assertThat(first.code()).isZero();
  }

  @Test
  void whoWaitsForOthersCanBeStopped() throws Exception {
    Rendezvous at = freePorts();
    ShellRun first = ShellRun.of(2, "exit 0").on(new Machines(2, 0, 2), at).start();
    ShellRun.until(() -> first.err().contains("waiting at"));

    first.supervisor().stop("SIGINT", 130);

    assertThat(first.code()).isEqualTo(130);
  }

  @Test
  void aTakenPortIsNamed() throws Exception {
    Rendezvous at = freePorts();
    try (ServerSocket _ = new ServerSocket(at.port() + 1)) {
      ShellRun first = ShellRun.of(2, "exit 0").on(new Machines(2, 0, 2), at).start();

      assertThatThrownBy(first::code)
          .cause()
          .isInstanceOf(RdmException.class)
          .hasMessageContaining("port " + (at.port() + 1))
          .hasMessageContaining("cannot be had");
    }
  }
}
