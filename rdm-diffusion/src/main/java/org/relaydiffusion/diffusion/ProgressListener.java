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

  /** Called after a step. */
  void stepDone(Progress progress);
}
