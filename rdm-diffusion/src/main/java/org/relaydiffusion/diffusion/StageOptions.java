// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import org.relaydiffusion.diffusion.guidance.GuidanceOptions;

/**
 * Options of one stage of the pipeline.
 *
 * @param solver how its images are computed
 * @param guidance how the predictions of its network are strengthened
 */
public record StageOptions(SolverOptions solver, GuidanceOptions guidance) {
  /** Returns options of a stage without guidance. */
  public static StageOptions of(SolverOptions solver) {
    return new StageOptions(solver, GuidanceOptions.NONE);
  }

  /** Returns these options with another solver. */
  public StageOptions with(SolverOptions other) {
    return new StageOptions(other, guidance);
  }

  /** Returns these options with other guidance. */
  public StageOptions with(GuidanceOptions other) {
    return new StageOptions(solver, other);
  }
}
