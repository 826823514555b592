// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

/**
 * Receives every step of a sampler, on the sampling thread; it should return quickly. An exception
 * ends the run.
 */
@FunctionalInterface
public interface ProgressListener {
  /** Ignores all steps. */
  ProgressListener NONE = _ -> {};

  /** Returns a listener that passes each step to this one, then to {@code next}. */
  default ProgressListener andThen(ProgressListener next) {
    return progress -> {
      stepDone(progress);
      next.stepDone(progress);
    };
  }

  /** Called after a step. */
  void stepDone(Progress progress);
}
