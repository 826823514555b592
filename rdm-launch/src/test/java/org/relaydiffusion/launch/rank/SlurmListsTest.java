// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.rank;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;

class SlurmListsTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "node7 node7",
        "node7,node9 node7",
        "gpu[003-005,007],login1 gpu003",
        "gpu[9] gpu9",
        "gpu[10-12] gpu10",
        "rack[2-3]-node[08,10].cluster.example rack2-node08.cluster.example",
        "a-b.example.org,c a-b.example.org"
      })
  void theFirstHostIsSpelledOut(String list, String host) {
    assertThat(SlurmLists.firstHost(Map.of("SLURM_JOB_NODELIST", list))).contains(host);
  }

  @Test
  void theStepsHostsCountBeforeTheJobs() {
    assertThat(
            SlurmLists.firstHost(
                Map.of("SLURM_JOB_NODELIST", "n[1-4]", "SLURM_STEP_NODELIST", "n[3-4]")))
        .contains("n3");
    assertThat(SlurmLists.firstHost(Map.of())).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpu[", "gpu[3-", "gpu[a-b]", ",gpu1", "gpu]1"})
  void whatIsNoListIsNamed(String list) {
    assertThatThrownBy(() -> SlurmLists.firstHost(Map.of("SLURM_STEP_NODELIST", list)))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("SLURM_STEP_NODELIST")
        .hasMessageContaining("'" + list + "'");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {"4 0 4", "4(x2),1 1 4", "4(x2),1 2 1", "1,8(x3),2 4 2"})
  void theTasksOfThisNodeAreFound(String list, String node, int tasks) {
    assertThat(
            SlurmLists.tasksOfThisNode(Map.of("SLURM_TASKS_PER_NODE", list, "SLURM_NODEID", node)))
        .hasValue(tasks);
  }

  @Test
  void anImpossibleNodeIsNamed() {
    assertThatThrownBy(() ->
            SlurmLists.tasksOfThisNode(
                Map.of("SLURM_TASKS_PER_NODE", "2(x2)", "SLURM_NODEID", "2")))
        .isInstanceOf(OptionException.class)
        .hasMessage("SLURM_NODEID=2 is out of range for SLURM_TASKS_PER_NODE=2(x2)");
    assertThatThrownBy(() -> SlurmLists.tasksOfThisNode(Map.of("SLURM_TASKS_PER_NODE", "two")))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("'two'");
  }
}
