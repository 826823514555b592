// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.rank;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
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

    assertThat(second).isEqualTo(new RunAttempt(Optional.of("faces"), 1, Optional.empty(), 0, 3));
    assertThat(second.isRestart()).isTrue();
  }

  @Test
  void aRequeuedSlurmJobHasBeenStartedBefore() {
    RunAttempt requeued = RunAttempt.of(Map.of("SLURM_JOB_ID", "17", "SLURM_RESTART_COUNT", "2"));

    assertThat(requeued).isEqualTo(new RunAttempt(Optional.empty(), 0, Optional.of("17"), 2, 0));
    assertThat(requeued.isRestart()).isTrue();
  }

  @Test
  void noneIsTheNameOfNoLaunch() {
    RunAttempt unnamed =
        RunAttempt.of(Map.of("TORCHELASTIC_RUN_ID", "none", "TORCHELASTIC_RESTART_COUNT", "1"));

    assertThat(unnamed.launchId()).isEmpty();
    assertThat(unnamed.isRestart()).isTrue();
  }

  @Test
  void withoutALauncherItIsTheFirstStart() {
    assertThat(RunAttempt.of(Map.of())).isEqualTo(RunAttempt.FIRST);
    assertThat(RunAttempt.of(Map.of()).isRestart()).isFalse();
  }
}
