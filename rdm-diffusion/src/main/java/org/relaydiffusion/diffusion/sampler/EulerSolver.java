// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.torch.Tensor;

/**
 * Euler's method with churn (Karras et al., arXiv 2206.00364, algorithm 2 without lines 7 and 8):
 * {@code x' = D + t' / that (xhat - D)}, with D the prediction for the state xhat at noise level
 * that, to which churn has raised the state. Order 1, one network call a step; without churn it is
 * DDIM. Noise is drawn in every step, as by {@link HeunSolver}.
 *
 * @param options the steps and churn; {@code sdeScale} is ignored
 */
public record EulerSolver(EdmOptions options) implements EdmSolver {
  @Override
  public int calls(int steps) {
    return steps;
  }

  @Override
  public Stepper begin(Batch batch) {
    ChurnedLevels churned = ChurnedLevels.of(options.churn(), batch);
    return new Stepper() {
      @Override
      public Tensor start() {
        return HeunSolver.latents(batch);
      }

      @Override
      public Tensor step(int i, Tensor x) {
        ChurnStep from = churned.take(i, x);
        Tensor denoised = batch.denoiser().denoise(from.x(), from.sigma());
        double kept = batch.levels().at(i + 1) / from.sigma();
        return denoised.add(from.x().sub(denoised).mul(kept));
      }
    };
  }
}
