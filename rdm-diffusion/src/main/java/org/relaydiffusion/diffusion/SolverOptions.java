// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import org.relaydiffusion.diffusion.schedule.LevelSchedule;

/**
 * Options of the solver of one stage: {@link EdmOptions} for a stage that starts from noise, {@link
 * RelayOptions} for one that starts from the images of the stage before it.
 */
public sealed interface SolverOptions permits EdmOptions, RelayOptions {
  /** Returns the name of the solver, see {@link org.relaydiffusion.diffusion.sampler.Solvers}. */
  String solver();

  /** Returns the number of noise levels before the final 0. */
  int numSteps();

  /** Returns the lowest noise level. */
  double sigmaMin();

  /** Returns the highest noise level. */
  double sigmaMax();

  /** Returns the exponent of Karras' schedule. */
  double rho();

  /** Returns how the noise levels are spaced. */
  LevelSchedule schedule();

  /** Returns whether the stage starts from noise, not from images. */
  boolean startsFromNoise();
}
