// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.diffusion.EdmOptions;

/**
 * DPM-Solver++(3M), a three-step method (Lu et al., arXiv 2211.01095, the expansion of proposition
 * 4.1 to order 3). The predictions are those of x and of the two states before. D is replaced by
 * the parabola through them, which is integrated exactly. With D', D'' its derivatives at the start
 * of the step in lambda = -ln t, and h the length of the step in lambda:
 *
 * <pre>
 * x' = exp(-h) x + h phi_1(-h) D + h^2 phi_2(-h) D' + h^3 phi_3(-h) D''
 * </pre>
 *
 * <p>Order 3 for steps of any lengths, one network call a step. The first two steps are of order 1
 * and 2: at the high noise levels where they lie, predictions hardly change.
 *
 * @param options the steps; {@code churn} and {@code sdeScale} are ignored
 */
public record DpmPlusPlus3mSolver(EdmOptions options) implements EdmSolver {
  @Override
  public int calls(int steps) {
    return steps;
  }

  @Override
  public Stepper begin(Batch batch) {
    return new MultistepStepper(batch, 3, DpmPlusPlus3mSolver::update);
  }

  static LinearUpdate update(double h, double... before) {
    double[] nodes = new double[before.length + 1];
    for (int k = 0; k < before.length; k++) {
      nodes[k + 1] = nodes[k] - before[k];
    }
    return new LinearUpdate(StrictMath.exp(-h), ExponentialWeights.interpolating(h, nodes));
  }
}
