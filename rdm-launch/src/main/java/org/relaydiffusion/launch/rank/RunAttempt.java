package org.relaydiffusion.launch.rank;

import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * Which start of a run this is: a launcher starts all ranks again when one of them has failed, and
 * a cluster starts a whole job again.
 *
 * @param launchId what the launcher calls the launch, equal for all ranks and all its starts; empty
 *     where nobody says, or says {@code none}, which is torchrun's word for that
 * @param restarts how often the launcher started the ranks before
 * @param jobId what the cluster calls the job, in which there may be several launches
 * @param requeues how often the cluster started the job before
 * @param maxRestarts how often the launcher may start ranks again; 0 where nobody says
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

  /** What torchrun calls every launch that was given no name: any number of them. */
  private static final String NO_ID = "none";

  /** Whether the run was started before. */
  public boolean isRestart() {
    return restarts > 0 || requeues > 0;
  }

  /**
   * Reads what the launcher left in the environment: torchrun's and {@code rdm launch}'s {@code
   * TORCHELASTIC_RUN_ID}, {@code _RESTART_COUNT} and {@code _MAX_RESTARTS}; under Slurm the job's
   * number, which a requeued job keeps, and {@code SLURM_RESTART_COUNT}, which grows with every
   * requeue; under Open MPI the job's name space.
   *
   * @param environment the variables, as {@link System#getenv()}
   * @throws OptionException naming the variable that is no number
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
