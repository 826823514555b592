// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.diffusion.EdmOptions;

/**
 * DPM-Solver++(2M), a two-step method (Lu et al., arXiv 2211.01095, algorithm 2). With lambda = -ln
 * t, h the length of the step in lambda and h_1 that of the step before:
 *
 * <pre>
 * x' = exp(-h) x + (1 - exp(-h)) (D + h / (2 h_1) (D - D_1))
 * </pre>
 *
 * <p>D is the prediction for x, and D_1 the one before. Order 2, one network call a step; the first
 * step is of order 1.
 *
 * @param options the steps; {@code churn} and {@code sdeScale} are ignored
 */
public record DpmPlusPlus2mSolver(EdmOptions options) implements EdmSolver {
  @Override
  public int calls(int steps) {
    return steps;
  }

  @Override
  public Stepper begin(Batch batch) {
    return new MultistepStepper(batch, 2, DpmPlusPlus2mSolver::update);
  }

  static LinearUpdate update(double h, double... before) {
    double kept = StrictMath.exp(-h);
    double gain = ExponentialWeights.gain(h);
    return before.length == 0
        ? new LinearUpdate(kept, gain)
        : new LinearUpdate(kept, ExponentialWeights.midpoint(gain, h, before[0]));
  }
}
