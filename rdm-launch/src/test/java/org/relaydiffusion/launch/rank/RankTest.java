package org.relaydiffusion.launch.rank;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
    assertThat(Rank.of(Map.of("RANK", "3", "WORLD_SIZE", "8", "LOCAL_RANK", "1")))
        .isEqualTo(new Rank(3, 8, 1, "torchrun"));
    assertThat(Rank.of(Map.of("SLURM_PROCID", "0", "SLURM_NTASKS", "2", "SLURM_LOCALID", "0")))
        .isEqualTo(new Rank(0, 2, 0, "Slurm"));
    assertThat(
            Rank.of(
                Map.of(
                    "OMPI_COMM_WORLD_RANK", "5",
                    "OMPI_COMM_WORLD_SIZE", "6",
                    "OMPI_COMM_WORLD_LOCAL_RANK", "2")))
        .isEqualTo(new Rank(5, 6, 2, "Open MPI"));
    assertThat(Rank.of(Map.of("JOB_COMPLETION_INDEX", "2", "WORLD_SIZE", "4")))
        .isEqualTo(new Rank(2, 4, 0, "Kubernetes"));
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
        .hasMessage("RANK=2 is not below WORLD_SIZE=2");
    assertThatThrownBy(() -> Rank.of(Map.of("RANK", "0", "WORLD_SIZE", "0")))
        .isInstanceOf(OptionException.class)
        .hasMessage("WORLD_SIZE must be at least 1, not 0");
    assertThatThrownBy(() -> Rank.of(Map.of("SLURM_PROCID", "-1", "SLURM_NTASKS", "2")))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("SLURM_PROCID");
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
