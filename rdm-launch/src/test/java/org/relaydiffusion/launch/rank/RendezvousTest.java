// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.rank;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;

class RendezvousTest {
  private static Rendezvous of(Map<String, String> environment) {
    return Rendezvous.of(environment, Rank.of(environment));
  }

  private static Endpoint endpoint(Map<String, String> environment) {
    return ((Rendezvous.RankZero) of(environment)).at();
  }

  private static Map<String, String> with(Map<String, String> environment, String... more) {
    Map<String, String> all = new HashMap<>(environment);
    for (int i = 0; i < more.length; i += 2) {
      all.put(more[i], more[i + 1]);
    }
    return all;
  }

  @Test
  void whatTorchrunSaysCounts() {
    assertThat(
            of(
                Map.of(
                    "RANK", "1",
                    "WORLD_SIZE", "2",
                    "MASTER_ADDR", "node0",
                    "MASTER_PORT", "29401",
                    "SLURM_JOB_ID", "7")))
        .isEqualTo(new Rendezvous.RankZero(new Endpoint("node0", 29401)));
  }

  @Test
  void oneMachineNeedsNoAddress() {
    assertThat(
            of(Map.of("RANK", "1", "WORLD_SIZE", "2", "LOCAL_RANK", "1", "LOCAL_WORLD_SIZE", "2")))
        .isEqualTo(Rendezvous.local());
    assertThat(of(Map.of())).isEqualTo(Rendezvous.local());
  }

  @Test
  void severalMachinesNeedOneAndEachLaunchersUserIsToldHow() {
    assertThatThrownBy(() -> of(Map.of("RANK", "1", "WORLD_SIZE", "2")))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "rank 1 of 2 does not have the address of rank 0: set MASTER_ADDR and"
                + " MASTER_PORT, to the same values for all ranks");
    assertThatThrownBy(() ->
            of(
                Map.of(
                    "OMPI_COMM_WORLD_RANK", "0",
                    "OMPI_COMM_WORLD_SIZE", "4",
                    "OMPI_COMM_WORLD_LOCAL_SIZE", "2")))
        .hasMessageContaining("mpirun -x MASTER_ADDR");
    assertThatThrownBy(() -> of(Map.of("JOB_COMPLETION_INDEX", "0", "WORLD_SIZE", "4")))
        .hasMessageContaining("headless service");
    assertThatThrownBy(
            () -> of(Map.of("SLURM_PROCID", "0", "SLURM_NTASKS", "4", "SLURM_STEP_ID", "0")))
        .hasMessageContaining("SLURM_JOB_NODELIST");
  }

  @Test
  void aStoreOfTorchrunsAgentIsJoinedByAllRanksAndEachAttemptIsApart() {
    Map<String, String> rank =
        Map.of(
            "RANK", "0",
            "WORLD_SIZE", "2",
            "MASTER_ADDR", "node0",
            "MASTER_PORT", "29401",
            "TORCHELASTIC_USE_AGENT_STORE", "True",
            "TORCHELASTIC_RESTART_COUNT", "3");

    assertThat(of(rank)).isEqualTo(new Rendezvous.Agent(new Endpoint("node0", 29401), 3));
    assertThat(of(with(rank, "TORCHELASTIC_USE_AGENT_STORE", "False")))
        .isEqualTo(new Rendezvous.RankZero(new Endpoint("node0", 29401)));
  }

  @Test
  void slurmsFirstHostAndItsJobSayWhere() {
    Map<String, String> task =
        Map.of(
            "SLURM_PROCID", "3",
            "SLURM_NTASKS", "4",
            "SLURM_STEP_NODELIST", "gpu[04-05]",
            "SLURM_JOB_ID", "123456",
            "SLURM_STEP_ID", "0");

    Endpoint found = endpoint(task);

    assertThat(found.address()).isEqualTo("gpu04");
    assertThat(found.port()).isBetween(15000, 29999);
    assertThat(endpoint(with(task, "SLURM_PROCID", "1"))).isEqualTo(found);
    assertThat(endpoint(with(task, "SLURM_JOB_ID", "123457")).port()).isNotEqualTo(found.port());
    assertThat(endpoint(with(task, "MASTER_PORT", "2000"))).isEqualTo(new Endpoint("gpu04", 2000));
  }

  @Test
  void openMpiOnOneMachineMeetsThere() {
    Map<String, String> task =
        Map.of(
            "OMPI_COMM_WORLD_RANK", "1",
            "OMPI_COMM_WORLD_SIZE", "2",
            "OMPI_COMM_WORLD_LOCAL_RANK", "1",
            "OMPI_COMM_WORLD_LOCAL_SIZE", "2",
            "PMIX_NAMESPACE", "prterun-node0-4711@1");

    assertThat(endpoint(task).address()).isEqualTo("127.0.0.1");
    assertThat(endpoint(task).port()).isBetween(15000, 29999);
    // Inside a Slurm job some ranks' daemons are steps, each with a number of its own.
    Map<String, String> inSlurm =
        with(task, "SLURM_JOB_ID", "7", "SLURM_PROCID", "0", "SLURM_NTASKS", "4");
    assertThat(endpoint(with(inSlurm, "SLURM_STEP_ID", "1"))).isEqualTo(endpoint(inSlurm));
  }

  @Test
  void kubernetesMeetsAtPodZero() {
    assertThat(
            endpoint(
                Map.of(
                    "JOB_COMPLETION_INDEX", "1",
                    "WORLD_SIZE", "2",
                    "MASTER_ADDR", "rdm-train-0.rdm-train")))
        .isEqualTo(new Endpoint("rdm-train-0.rdm-train", 29500));
  }

  @Test
  void aBadPortIsNamed() {
    assertThatThrownBy(() -> of(Map.of("MASTER_PORT", "70000")))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "the environment variable MASTER_PORT must be a port from 1 to 65535, but is '70000'");
  }

  @Test
  void endpointsAreReadAndWritten() {
    assertThat(Endpoint.parse("--x", "node0")).isEqualTo(new Endpoint("node0", 29500));
    assertThat(Endpoint.parse("--x", "10.0.0.1:80")).isEqualTo(new Endpoint("10.0.0.1", 80));
    assertThat(Endpoint.parse("--x", "[fd00::1]:80")).isEqualTo(new Endpoint("fd00::1", 80));
    assertThat(Endpoint.parse("--x", "[fd00::1]:80").toString()).isEqualTo("[fd00::1]:80");
    assertThatThrownBy(() -> Endpoint.parse("--x", "fd00::1"))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "--x must be host:port, as in node0:29500 or [fd00::1]:29500, but is 'fd00::1'");
    assertThatThrownBy(() -> Endpoint.parse("--x", "node0:0"))
        .hasMessage("--x must be a port from 1 to 65535, but is '0'");
  }
}
