package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.rank.Rendezvous;
import org.relaydiffusion.launch.rank.RunAttempt;

class WorkerEnvironmentTest {
  private static final Rendezvous MASTER = new Rendezvous("node0", 29500);

  private static WorkerEnvironment of(Map<String, String> inherited, Machines machines) {
    LaunchPlan plan =
        new LaunchPlan(
            machines,
            Optional.of(MASTER),
            "faces",
            3,
            Duration.ofMinutes(5),
            OutputPlan.CONSOLE,
            List.of("train"));
    return new WorkerEnvironment(plan, inherited, 8);
  }

  @Test
  void theVariablesAreTorchruns() {
    Map<String, String> variables =
        of(Map.of("HOME", "/home/me", "RANK", "0"), new Machines(2, 1, 2)).of(1, 2, MASTER);

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
        .containsEntry("TORCHELASTIC_RUN_ID", "faces");
  }

  @Test
  void aRankReadsWhatTheLauncherSets() {
    Map<String, String> variables = of(Map.of(), new Machines(2, 1, 2)).of(0, 1, MASTER);
    Rank rank = Rank.of(variables);

    assertThat(rank).isEqualTo(new Rank(2, 4, 0, 2, "torchrun"));
    assertThat(Rendezvous.of(variables, rank)).isEqualTo(MASTER);
    assertThat(RunAttempt.of(variables)).isEqualTo(new RunAttempt("faces", 1, 3));
  }

  @Test
  void coresAreSharedUnlessSomebodyHasSaidHow() {
    assertThat(of(Map.of(), Machines.alone(3)).of(0, 0, MASTER))
        .containsEntry("OMP_NUM_THREADS", "2");
    assertThat(of(Map.of(), Machines.alone(16)).of(0, 0, MASTER))
        .containsEntry("OMP_NUM_THREADS", "1");
    assertThat(of(Map.of("OMP_NUM_THREADS", "7"), Machines.alone(2)).of(0, 0, MASTER))
        .containsEntry("OMP_NUM_THREADS", "7");
    assertThat(of(Map.of(), Machines.alone(1)).of(0, 0, MASTER))
        .doesNotContainKey("OMP_NUM_THREADS");
  }

  @Test
  void aStoppedRankAnswersItsLauncherWithASuccess() {
    assertThat(of(Map.of("RDM_STOP_EXIT_CODE", "85"), Machines.alone(1)).of(0, 0, MASTER))
        .doesNotContainKey("RDM_STOP_EXIT_CODE");
  }

  @Test
  void whatIsAmongTheFlagsAlreadyIsNotHandedOnTwice() {
    assertThat(of(Map.of("JDK_JAVA_OPTIONS", "-Da=b"), Machines.alone(1)).of(0, 0, MASTER))
        .doesNotContainKey("JDK_JAVA_OPTIONS");
  }
}
