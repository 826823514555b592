// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.rank;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;

class RankTest {
  @Test
  void aPlainShellIsOneProcess() {
    assertThat(Rank.of(Map.of("HOME", "/home/me"))).isEqualTo(Rank.SINGLE);
    assertThat(Rank.of(Map.of("RANK", " ", "WORLD_SIZE", "1"))).isEqualTo(Rank.SINGLE);
  }

  @Test
  void everyLaunchersVariablesAreRead() {
    assertThat(
            Rank.of(
                Map.of("RANK", "3", "WORLD_SIZE", "8", "LOCAL_RANK", "1", "LOCAL_WORLD_SIZE", "4")))
        .isEqualTo(new Rank(3, 8, 1, 4, "torchrun"));
    assertThat(
            Rank.of(
                Map.of(
                    "SLURM_PROCID", "4",
                    "SLURM_NTASKS", "5",
                    "SLURM_LOCALID", "0",
                    "SLURM_NODEID", "2",
                    "SLURM_STEP_ID", "0",
                    "SLURM_STEP_TASKS_PER_NODE", "2(x2),1")))
        .isEqualTo(new Rank(4, 5, 0, 1, "Slurm"));
    assertThat(
            Rank.of(
                Map.of(
                    "OMPI_COMM_WORLD_RANK", "5",
                    "OMPI_COMM_WORLD_SIZE", "6",
                    "OMPI_COMM_WORLD_LOCAL_RANK", "2",
                    "OMPI_COMM_WORLD_LOCAL_SIZE", "3")))
        .isEqualTo(new Rank(5, 6, 2, 3, "Open MPI"));
    assertThat(Rank.of(Map.of("JOB_COMPLETION_INDEX", "2", "WORLD_SIZE", "4")))
        .isEqualTo(new Rank(2, 4, 0, 1, "Kubernetes"));
  }

  @Test
  void whereNobodyCountsAMachinesProcessesThoseUpToThisOneAreKnown() {
    assertThat(Rank.of(Map.of("RANK", "3", "WORLD_SIZE", "8", "LOCAL_RANK", "1")).localWorldSize())
        .isEqualTo(2);
    assertThat(Rank.of(Map.of("RANK", "3", "WORLD_SIZE", "8")).localWorldSize()).isEqualTo(1);
  }

  @Test
  void aSlurmStepCountsItsOwnTasks() {
    Map<String, String> step =
        Map.of(
            "SLURM_PROCID", "1",
            "SLURM_NTASKS", "8",
            "SLURM_STEP_ID", "3",
            "SLURM_STEP_NUM_TASKS", "2");

    assertThat(Rank.of(step).worldSize()).isEqualTo(2);
  }

  /** Its variables describe the job: four tasks, of which it is none. */
  @Test
  void theScriptOfASlurmJobIsOneProcess() {
    Map<String, String> script =
        Map.of(
            "SLURM_JOB_ID", "77",
            "SLURM_PROCID", "0",
            "SLURM_LOCALID", "0",
            "SLURM_NODEID", "0",
            "SLURM_NTASKS", "4",
            "SLURM_TASKS_PER_NODE", "4",
            "SLURM_JOB_NODELIST", "node1");

    assertThat(Rank.of(script)).isEqualTo(Rank.SINGLE);
    assertThat(Rank.of(Map.of("SLURM_PROCID", "0", "SLURM_JOB_ID", "17"))).isEqualTo(Rank.SINGLE);
    // The numbers that Slurm keeps for the steps of scripts and of shells.
    for (String step : List.of("4294967291", "4294967290")) {
      Map<String, String> numbered = new HashMap<>(script);
      numbered.put("SLURM_STEP_ID", step);
      assertThat(Rank.of(numbered)).isEqualTo(Rank.SINGLE);
    }
  }

  /** mpirun's daemons are steps of the job, and their ranks inherit what describes the daemon. */
  @Test
  void openMpiWinsOverTheSlurmJobThatItRunsIn() {
    Map<String, String> rank =
        Map.of(
            "OMPI_COMM_WORLD_RANK", "5",
            "OMPI_COMM_WORLD_SIZE", "6",
            "SLURM_PROCID", "0",
            "SLURM_NTASKS", "2",
            "SLURM_STEP_ID", "0");

    assertThat(Rank.of(rank).index()).isEqualTo(5);
    assertThat(Rank.of(rank).worldSize()).isEqualTo(6);
  }

  @Test
  void itSaysWhatItIsInARun() {
    Rank third = new Rank(2, 4, 0, 2, "torchrun");

    assertThat(third.isFirst()).isFalse();
    assertThat(third.isFirstOfItsMachine()).isTrue();
    assertThat(third.isDistributed()).isTrue();
    assertThat(Rank.SINGLE.isDistributed()).isFalse();
  }

  @Test
  void torchrunWinsOverTheClusterThatItRunsIn() {
    Map<String, String> both =
        Map.of("RANK", "1", "WORLD_SIZE", "2", "SLURM_PROCID", "0", "SLURM_NTASKS", "1");

    assertThat(Rank.of(both).source()).isEqualTo("torchrun");
  }

  @Test
  void valuesThatMakeNoSenseAreNamed() {
    assertThatThrownBy(() -> Rank.of(Map.of("RANK", "two", "WORLD_SIZE", "2")))
        .isInstanceOf(OptionException.class)
        .hasMessage("the environment variable RANK must be a number of at least 0, but is 'two'");
    assertThatThrownBy(() -> Rank.of(Map.of("RANK", "2", "WORLD_SIZE", "2")))
        .isInstanceOf(OptionException.class)
        .hasMessage("RANK=2 must be less than WORLD_SIZE=2");
    assertThatThrownBy(() -> Rank.of(Map.of("RANK", "0", "WORLD_SIZE", "0")))
        .isInstanceOf(OptionException.class)
        .hasMessage("WORLD_SIZE must be at least 1, but is 0");
    assertThatThrownBy(
            () -> Rank.of(Map.of("SLURM_PROCID", "-1", "SLURM_NTASKS", "2", "SLURM_STEP_ID", "0")))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("SLURM_PROCID");
    assertThatThrownBy(() ->
            Rank.of(
                Map.of("RANK", "1", "WORLD_SIZE", "2", "LOCAL_RANK", "1", "LOCAL_WORLD_SIZE", "1")))
        .isInstanceOf(OptionException.class)
        .hasMessage("LOCAL_RANK=1 must be less than LOCAL_WORLD_SIZE=1");
  }

  @Test
  void halfOfTheVariablesIsNotEnough() {
    assertThatThrownBy(() -> Rank.of(Map.of("RANK", "0")))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("not WORLD_SIZE");
    assertThatThrownBy(() -> Rank.of(Map.of("WORLD_SIZE", "4")))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("no rank");
  }
}
