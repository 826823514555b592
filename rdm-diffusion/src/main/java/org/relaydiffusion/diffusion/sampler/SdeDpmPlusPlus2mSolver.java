// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/**
 * SDE-DPM-Solver++(2M), a two-step method for the diffusion SDE (Lu et al., arXiv 2211.01095). With
 * lambda = -ln t, h the length of the step in lambda and h_1 that of the step before:
 *
 * <pre>
 * x' = exp(-2 h) x + (1 - exp(-2 h)) (D + h / (2 h_1) (D - D_1)) + t' sqrt(1 - exp(-2 h)) N
 * </pre>
 *
 * <p>D is the prediction for x, and D_1 the one before. Weak order 2, one network call a step; the
 * first step is of order 1. Each step draws N once, also the last one, where it has no effect.
 *
 * @param options the steps; {@code churn} and {@code sdeScale} are ignored
 */
public record SdeDpmPlusPlus2mSolver(EdmOptions options) implements EdmSolver {
  @Override
  public int calls(int steps) {
    return steps;
  }

  @Override
  public boolean isStochastic() {
    return true;
  }

  @Override
  public Stepper begin(Batch batch) {
    return new MultistepStepper(batch, 2, SdeDpmPlusPlus2mSolver::update) {
      @Override
      public Tensor step(int i, Tensor x) {
        Tensor n = batch.noise().randnLike(x, DType.FLOAT64);
        double deviation = deviation(batch.levels().at(i), batch.levels().at(i + 1));
        return super.step(i, x).add(n.mul(deviation));
      }
    };
  }

  /** Returns the update of a step without its noise. */
  static LinearUpdate update(double h, double... before) {
    double kept = StrictMath.exp(-2 * h);
    double gain = ExponentialWeights.gain(2 * h);
    return before.length == 0
        ? new LinearUpdate(kept, gain)
        : new LinearUpdate(kept, ExponentialWeights.midpoint(gain, h, before[0]));
  }

  /** Returns {@code t' sqrt(1 - exp(-2 h))}, the standard deviation of the noise of a step. */
  static double deviation(double t, double next) {
    double ratio = next / t;
    return next * Math.sqrt((1 - ratio) * (1 + ratio));
  }
}
