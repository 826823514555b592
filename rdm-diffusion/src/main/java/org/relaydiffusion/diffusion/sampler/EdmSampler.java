// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The EDM sampler with churn (Karras et al., arXiv 2206.00364, algorithm 2): Heun's second-order
 * method for {@code dx/dt = (x - D(x; t)) / t}, starting from {@code x = t_0 latents}.
 *
 * @param options the steps, churn and guidance; {@code sdeScale} is ignored
 * @param evaluation how guidance is computed
 */
public record EdmSampler(EdmOptions options, Guidance.Evaluation evaluation) implements Sampler {
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
      Guidance guided = new Guidance(net, labels, o.guidance(), evaluation);
      Tensor x = start.to(DType.FLOAT64).mul(t[0]);
      for (int i = 0; i < o.numSteps(); i++) {
        try (var step = TensorScope.open();
            Tensor before = x) {
          ChurnStep churned = ChurnStep.take(o.churn(), before, t[i], raised[i], noise);
          x = step.keep(heun(guided, churned, t[i + 1]));
        }
        listener.stepDone(i + 1, o.numSteps());
      }
      return scope.keep(x);
    }
  }

  /**
   * Performs a step from {@code that} to t: Euler's step, corrected by the slope at its end unless
   * t is 0.
   */
  private static Tensor heun(Guidance guided, ChurnStep from, double t) {
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
