// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/**
 * The first-stage sampler of the CelebA-HQ script: each step goes below its target level and
 * returns with new noise of standard deviation {@code g = sde_scale t'}. With {@code a = sqrt((t'^2
 * - g^2) / that^2)} and slope d: {@code x' = xhat + (a - 1) that d + g N}; then once more, from the
 * same state, with the mean of d and the slope at x', and with newly drawn noise. Guidance is not
 * supported, as in the reference.
 *
 * @param options the steps, churn and {@code sdeScale}
 */
public record SdeHeunSolver(EdmOptions options) implements EdmSolver {
  @Override
  public int calls(int steps) {
    return 2 * steps - 1;
  }

  @Override
  public boolean isGuided() {
    return false;
  }

  @Override
  public Stepper begin(Batch batch) {
    ChurnedLevels churned = ChurnedLevels.of(options.churn(), batch);
    GuidedDenoiser plain = batch.denoiser().unguided();
    return new Stepper() {
      @Override
      public Tensor start() {
        return HeunSolver.latents(batch);
      }

      @Override
      public Tensor step(int i, Tensor x) {
        ChurnStep from = churned.take(i, x);
        return SdeHeunSolver.this.step(plain, from, batch.levels().at(i + 1), batch.noise());
      }
    };
  }

  private Tensor step(GuidedDenoiser plain, ChurnStep from, double t, StackedGenerators noise) {
    double that = from.sigma();
    double g = options.sdeScale().orElse(0) * t;
    double pull = (Math.sqrt((t * t - g * g) / (that * that)) - 1) * that;
    Tensor slope = from.x().sub(plain.denoise(from.x(), that)).div(that);
    Tensor x = move(from.x(), pull, slope, g, noise);
    if (t == 0) {
      return x;
    }
    Tensor slopeAtEnd = x.sub(plain.denoise(x, t)).div(t);
    return move(from.x(), pull, slope.add(slopeAtEnd).div(2), g, noise);
  }

  private static Tensor move(
      Tensor x, double pull, Tensor slope, double g, StackedGenerators noise) {
    Tensor n = noise.randnLike(x, DType.FLOAT64);
    return x.add(slope.mul(pull)).add(n.mul(g));
  }
}
