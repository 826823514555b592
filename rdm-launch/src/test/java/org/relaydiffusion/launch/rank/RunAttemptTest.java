package org.relaydiffusion.launch.rank;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class RunAttemptTest {
  @Test
  void torchrunsVariablesAreRead() {
    RunAttempt second =
        RunAttempt.of(
            Map.of(
                "TORCHELASTIC_RUN_ID", "faces",
                "TORCHELASTIC_RESTART_COUNT", "1",
                "TORCHELASTIC_MAX_RESTARTS", "3"));

    assertThat(second).isEqualTo(new RunAttempt("faces", 1, 3));
    assertThat(second.isRestart()).isTrue();
  }

  @Test
  void aRequeuedSlurmJobHasBeenStartedBefore() {
    assertThat(RunAttempt.of(Map.of("SLURM_JOB_ID", "17", "SLURM_RESTART_COUNT", "2")))
        .isEqualTo(new RunAttempt("17", 2, 0));
  }

  @Test
  void withoutALauncherItIsTheFirstStart() {
    assertThat(RunAttempt.of(Map.of())).isEqualTo(new RunAttempt("none", 0, 0));
    assertThat(RunAttempt.of(Map.of()).isRestart()).isFalse();
  }
}
