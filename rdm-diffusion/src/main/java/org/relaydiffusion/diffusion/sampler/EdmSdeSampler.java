// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The first-stage sampler of the CelebA-HQ script: each step goes below its target level and
 * returns with new noise of standard deviation {@code g = sde_scale t'}. With {@code a = sqrt((t'^2
 * - g^2) / that^2)} and slope d: {@code x' = xhat + (a - 1) that d + g N}; then once more, from the
 * same state, with the mean of d and the slope at x', and with newly drawn noise. Guidance is not
 * supported, as in the reference.
 *
 * @param options the steps, churn and {@code sdeScale}
 */
public record EdmSdeSampler(EdmOptions options) implements Sampler {
  @Override
  public Tensor sample(
      Denoiser net,
      @Nullable Tensor labels,
      Tensor start,
      StackedGenerators noise,
      StepListener listener) {
    EdmOptions o = options;
    double[] t = NoiseLevels.of(net, o.sigmaMin(), o.sigmaMax(), o.rho(), o.numSteps());
    double[] raised = ChurnStep.raised(o.churn(), o.numSteps(), net, t);
    try (var scope = TensorScope.open()) {
      Guidance plain = Guidance.none(net, labels);
      Tensor x = start.to(DType.FLOAT64).mul(t[0]);
      for (int i = 0; i < o.numSteps(); i++) {
        try (var step = TensorScope.open();
            Tensor before = x) {
          ChurnStep churned = ChurnStep.take(o.churn(), before, t[i], raised[i], noise);
          x = step.keep(step(plain, churned, t[i + 1], noise));
        }
        listener.stepDone(i + 1, o.numSteps());
      }
      return scope.keep(x);
    }
  }

  private Tensor step(Guidance plain, ChurnStep from, double t, StackedGenerators noise) {
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
