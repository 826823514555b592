// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.torch.Tensor;

/**
 * The steps of a solver that combines the prediction at the start of each step with earlier ones;
 * one network call a step. The step to noise level 0 returns the prediction, which is the limit of
 * the first-order step.
 */
class MultistepStepper implements Stepper {
  /** Gives the update of a step from the lengths of it and of those before. */
  @FunctionalInterface
  interface Rule {
    /**
     * Returns the update of a step.
     *
     * @param h the length of the step in lambda = -ln t, at least 0
     * @param before the distances in lambda between successive predictions, newest first, above 0;
     *     fewer in the first steps, and none in the first one
     * @return an update with one weight more than there are distances
     */
    LinearUpdate of(double h, double... before);
  }

  private final Batch batch;
  private final Rule rule;
  private final PredictionHistory history;

  /**
   * Begins the steps of a batch.
   *
   * @param most how many predictions a step combines
   */
  MultistepStepper(Batch batch, int most, Rule rule) {
    this.batch = batch;
    this.rule = rule;
    history = new PredictionHistory(most);
  }

  @Override
  public Tensor start() {
    return HeunSolver.latents(batch);
  }

  @Override
  public Tensor step(int i, Tensor x) {
    double t = batch.levels().at(i);
    double next = batch.levels().at(i + 1);
    Tensor denoised = batch.denoiser().denoise(x, t);
    if (next == 0) {
      return denoised;
    }
    history.add(t, denoised);
    return rule.of(history.distance(next), history.gaps()).apply(x, history.predictions());
  }

  @Override
  public void close() {
    history.close();
  }
}
