// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/**
 * The EDM sampler with churn (Karras et al., arXiv 2206.00364, algorithm 2): Heun's second-order
 * method for {@code dx/dt = (x - D(x; t)) / t}, starting from {@code x = t_0 latents}.
 *
 * @param options the steps and churn; {@code sdeScale} is ignored
 */
public record HeunSolver(EdmOptions options) implements EdmSolver {
  /** Returns this solver, or the stochastic one if the options have its scale. */
  static Solver of(EdmOptions options) {
    return options.sdeScale().isPresent() ? new SdeHeunSolver(options) : new HeunSolver(options);
  }

  @Override
  public int calls(int steps) {
    return 2 * steps - 1;
  }

  @Override
  public Stepper begin(Batch batch) {
    ChurnedLevels churned = ChurnedLevels.of(options.churn(), batch);
    return new Stepper() {
      @Override
      public Tensor start() {
        return latents(batch);
      }

      @Override
      public Tensor step(int i, Tensor x) {
        return heun(batch.denoiser(), churned.take(i, x), batch.levels().at(i + 1));
      }
    };
  }

  /** Returns the state that the latents of a batch give at its highest noise level. */
  static Tensor latents(Batch batch) {
    return batch.start().to(DType.FLOAT64).mul(batch.levels().at(0));
  }

  /**
   * Performs a step from {@code that} to t: Euler's step, corrected by the slope at its end unless
   * t is 0.
   */
  private static Tensor heun(GuidedDenoiser guided, ChurnStep from, double t) {
    double that = from.sigma();
    Tensor slope = from.x().sub(guided.denoise(from.x(), that)).div(that);
    Tensor x = from.x().add(slope.mul(t - that));
    if (t == 0) {
      return x;
    }
    Tensor slopeAtEnd = x.sub(guided.denoise(x, t)).div(t);
    Tensor mean = slope.mul(0.5).add(slopeAtEnd.mul(0.5));
    return from.x().add(mean.mul(t - that));
  }
}
