// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

/** Receives every step of a solver; an exception ends the sampling. */
@FunctionalInterface
public interface StepListener {
  /** Ignores all steps. */
  StepListener NONE = (_, _, _) -> {};

  /**
   * Called after a step.
   *
   * @param step number of finished steps, from 1
   * @param steps total number of steps
   * @param preview the network's last prediction of the images
   */
  void stepDone(int step, int steps, Preview preview);
}
