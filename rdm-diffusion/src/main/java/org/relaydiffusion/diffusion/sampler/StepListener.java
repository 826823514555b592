package org.relaydiffusion.diffusion.sampler;

/** Hears of every step of a sampler; what it throws ends the sampling. */
@FunctionalInterface
public interface StepListener {
  /** Listens to nothing. */
  StepListener NONE = (_, _) -> {};

  /**
   * A step is done.
   *
   * @param step how many steps are done, from 1
   * @param steps how many there are
   */
  void stepDone(int step, int steps);
}
