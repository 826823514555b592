// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

/** Receives every step of a sampler; an exception ends the sampling. */
@FunctionalInterface
public interface StepListener {
  /** Ignores all steps. */
  StepListener NONE = (_, _) -> {};

  /**
   * Called after a step.
   *
   * @param step number of finished steps, from 1
   * @param steps total number of steps
   */
  void stepDone(int step, int steps);
}
