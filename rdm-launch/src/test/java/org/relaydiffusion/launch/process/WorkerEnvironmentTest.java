// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.launch.rank.Endpoint;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.rank.Rendezvous;
import org.relaydiffusion.launch.rank.RunAttempt;

class WorkerEnvironmentTest {
  private static final Endpoint MASTER = new Endpoint("node0", 29500);
  private static final Rendezvous FILE = new Rendezvous.PrivateFile(Path.of("/run/rdm/attempt_0"));

  private static WorkerEnvironment of(Map<String, String> inherited, Nodes nodes) {
    LaunchPlan plan =
        new LaunchPlan(
            nodes,
            Optional.of(MASTER),
            Optional.empty(),
            3,
            Duration.ofMinutes(5),
            OutputPlan.CONSOLE,
            List.of("train"));
    return new WorkerEnvironment(plan, inherited, 8);
  }

  @Test
  void theVariablesAreTorchruns() {
    Map<String, String> variables =
        of(Map.of("HOME", "/home/me", "RANK", "0"), new Nodes(2, 1, 2))
            .of(1, 2, "faces", new Rendezvous.Agent(MASTER, 2));

    assertThat(variables)
        .containsAllEntriesOf(
            Map.of(
                "RANK", "3",
                "LOCAL_RANK", "1",
                "WORLD_SIZE", "4",
                "LOCAL_WORLD_SIZE", "2",
                "GROUP_RANK", "1",
                "ROLE_RANK", "3",
                "ROLE_WORLD_SIZE", "4",
                "MASTER_ADDR", "node0",
                "MASTER_PORT", "29500",
                "HOME", "/home/me"))
        .containsEntry("TORCHELASTIC_RESTART_COUNT", "2")
        .containsEntry("TORCHELASTIC_MAX_RESTARTS", "3")
        .containsEntry("TORCHELASTIC_RUN_ID", "faces")
        .containsEntry("TORCHELASTIC_USE_AGENT_STORE", "True")
        .doesNotContainKeys("RDM_RENDEZVOUS_FILE", "NCCL_SOCKET_IFNAME");
  }

  @Test
  void aRankReadsWhatTheLauncherSets() {
    Map<String, String> variables =
        of(Map.of(), new Nodes(2, 1, 2)).of(0, 1, "faces", new Rendezvous.Agent(MASTER, 1));
    Rank rank = Rank.of(variables);

    assertThat(rank).isEqualTo(new Rank(2, 4, 0, 2, "torchrun"));
    assertThat(Rendezvous.of(variables, rank)).isEqualTo(new Rendezvous.Agent(MASTER, 1));
    assertThat(RunAttempt.of(variables))
        .isEqualTo(new RunAttempt(Optional.of("faces"), 1, Optional.empty(), 0, 3));
  }

  @Test
  void ranksOfOneNodeMeetInAFileWhateverTheLauncherItselfWasTold() {
    Map<String, String> variables =
        of(
                Map.of("MASTER_ADDR", "elsewhere", "MASTER_PORT", "1", "RDM_RENDEZVOUS_FILE", "x"),
                Nodes.alone(2))
            .of(1, 0, "faces", FILE);

    assertThat(variables)
        .containsEntry("RDM_RENDEZVOUS_FILE", "/run/rdm/attempt_0")
        .containsEntry("NCCL_SOCKET_IFNAME", "lo")
        .doesNotContainKeys("MASTER_ADDR", "MASTER_PORT");
    assertThat(Rendezvous.of(variables, Rank.of(variables))).isEqualTo(FILE);
  }

  /** The back end's own choice ends an operation; this variable, if set, ends the process. */
  @Test
  void ncclsErrorHandlingIsLeftToTheBackEndAndToTheUser() {
    assertThat(of(Map.of(), Nodes.alone(2)).of(0, 0, "faces", FILE))
        .doesNotContainKey("TORCH_NCCL_ASYNC_ERROR_HANDLING");
    assertThat(
            of(Map.of("TORCH_NCCL_ASYNC_ERROR_HANDLING", "3"), Nodes.alone(2))
                .of(0, 0, "faces", FILE))
        .containsEntry("TORCH_NCCL_ASYNC_ERROR_HANDLING", "3");
  }

  @Test
  void coresAreSharedUnlessSomebodyHasSaidHow() {
    assertThat(of(Map.of(), Nodes.alone(3)).of(0, 0, "faces", FILE))
        .containsEntry("OMP_NUM_THREADS", "2");
    assertThat(of(Map.of(), Nodes.alone(16)).of(0, 0, "faces", FILE))
        .containsEntry("OMP_NUM_THREADS", "1");
    assertThat(of(Map.of("OMP_NUM_THREADS", "7"), Nodes.alone(2)).of(0, 0, "faces", FILE))
        .containsEntry("OMP_NUM_THREADS", "7");
    assertThat(of(Map.of(), Nodes.alone(1)).of(0, 0, "faces", FILE))
        .doesNotContainKey("OMP_NUM_THREADS");
  }

  @Test
  void aStoppedRankAnswersItsLauncherWithASuccess() {
    assertThat(of(Map.of("RDM_STOP_EXIT_CODE", "85"), Nodes.alone(1)).of(0, 0, "faces", FILE))
        .doesNotContainKey("RDM_STOP_EXIT_CODE");
  }

  @Test
  void whatIsAmongTheFlagsAlreadyIsNotHandedOnTwice() {
    assertThat(of(Map.of("JDK_JAVA_OPTIONS", "-Da=b"), Nodes.alone(1)).of(0, 0, "faces", FILE))
        .doesNotContainKey("JDK_JAVA_OPTIONS");
  }
}
