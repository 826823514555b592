package org.relaydiffusion.launch.rank;

import java.util.Map;
import org.relaydiffusion.OptionException;

/**
 * Which start of a run this is: a launcher starts all ranks again when one of them has failed.
 *
 * @param runId what the launcher calls the run, equal for all ranks; {@code none} where nobody says
 * @param restarts how often the run was started before, 0 the first time
 * @param maxRestarts how often it may be; 0 where nobody says
 */
public record RunAttempt(String runId, int restarts, int maxRestarts) {
  private static final String NO_ID = "none";

  /** Whether the run was started before. */
  public boolean isRestart() {
    return restarts > 0;
  }

  /**
   * Reads what the launcher left in the environment: torchrun's and {@code rdm launch}'s {@code
   * TORCHELASTIC_RUN_ID}, {@code _RESTART_COUNT} and {@code _MAX_RESTARTS}; under Slurm the job's
   * number and {@code SLURM_RESTART_COUNT}, which grows with every requeue; under Open MPI the
   * job's name space.
   *
   * @param environment the variables, as {@link System#getenv()}
   * @throws OptionException naming the variable that is no number
   */
  public static RunAttempt of(Map<String, String> environment) {
    String runId =
        Variables.text(environment, "TORCHELASTIC_RUN_ID", "SLURM_JOB_ID", "PMIX_NAMESPACE")
            .orElse(NO_ID);
    // A launcher inside a Slurm job that was requeued has started its own ranks for the first time,
    // but the run goes on from where it was.
    int restarts =
        Variables.number(environment, "TORCHELASTIC_RESTART_COUNT", 0)
            + Variables.number(environment, "SLURM_RESTART_COUNT", 0);
    return new RunAttempt(
        runId, restarts, Variables.number(environment, "TORCHELASTIC_MAX_RESTARTS", 0));
  }
}
