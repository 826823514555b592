// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.rank;

import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * Identifies the start of a run: a launcher restarts all ranks after one of them has failed, and a
 * cluster may restart a whole job.
 *
 * @param launchId the launcher's name of the launch, the same for all ranks and restarts; empty if
 *     there is none, or {@code none}, torchrun's value for no name
 * @param restarts how many times the launcher has restarted the ranks
 * @param jobId the cluster's id of the job, in which there may be several launches
 * @param requeues how many times the cluster has restarted the job
 * @param maxRestarts how many times the launcher may restart the ranks; 0 if unknown
 */
public record RunAttempt(
    Optional<String> launchId,
    int restarts,
    Optional<String> jobId,
    int requeues,
    int maxRestarts) {
  /** The first start of a launch without a name. */
  public static final RunAttempt FIRST =
      new RunAttempt(Optional.empty(), 0, Optional.empty(), 0, 0);

  /** torchrun's name for all launches without a name. */
  private static final String NO_ID = "none";

  /** Returns whether the run was started before. */
  public boolean isRestart() {
    return restarts > 0 || requeues > 0;
  }

  /**
   * Reads what the launcher has set in the environment: {@code TORCHELASTIC_RUN_ID}, {@code
   * _RESTART_COUNT} and {@code _MAX_RESTARTS} of torchrun and {@code rdm launch}; under Slurm the
   * job id, which a requeued job keeps, and {@code SLURM_RESTART_COUNT}, which is incremented by
   * every requeue; under Open MPI the namespace of the job.
   *
   * @param environment the variables, as {@link System#getenv()}
   * @throws OptionException naming the variable that is not a number
   */
  public static RunAttempt of(Map<String, String> environment) {
    return new RunAttempt(
        Variables.text(environment, "TORCHELASTIC_RUN_ID").filter(id -> !id.equals(NO_ID)),
        Variables.number(environment, "TORCHELASTIC_RESTART_COUNT", 0),
        Variables.text(environment, "SLURM_JOB_ID", "PMIX_NAMESPACE"),
        Variables.number(environment, "SLURM_RESTART_COUNT", 0),
        Variables.number(environment, "TORCHELASTIC_MAX_RESTARTS", 0));
  }
}
