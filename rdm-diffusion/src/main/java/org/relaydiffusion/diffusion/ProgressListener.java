package org.relaydiffusion.diffusion;

/**
 * Hears about every step of a sampler, on the thread that samples: it should return quickly. What
 * it throws ends the run.
 */
@FunctionalInterface
public interface ProgressListener {
  /** Listens to nothing. */
  ProgressListener NONE = _ -> {};

  /** A step is done. */
  void stepDone(Progress progress);
}
