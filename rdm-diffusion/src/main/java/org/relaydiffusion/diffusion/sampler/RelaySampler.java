// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.Arrays;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The sampler of the second stage: a blurring diffusion with block noise that starts from an
 * upsampled image (arXiv 2309.03350, section 3). It starts at the first noise level t_0 below
 * {@code truncation_sigma}, from {@code x = image + t_0 N + s_block t_0 B}, and ends with the
 * network's prediction at the last level. {@link RelayStep} performs the steps between.
 *
 * @param options the steps, blur, noise and guidance
 * @param evaluation how guidance is computed
 */
public record RelaySampler(RelayOptions options, Guidance.Evaluation evaluation)
    implements Sampler {
  /**
   * Samples as {@link Sampler#sample}; block noise is drawn in the dtype of {@code start}.
   *
   * @throws OptionException if no noise level is below the truncation, or {@code up_scale} does not
   *     divide the image
   */
  @Override
  public Tensor sample(
      Denoiser net,
      @Nullable Tensor labels,
      Tensor start,
      StackedGenerators noise,
      StepListener listener) {
    double[] t = levels(net);
    int last = t.length - 2;
    double[] raised = raised(net, t);
    RelayNoise relayNoise = new RelayNoise(options, noise, start.dtype());
    try (var scope = TensorScope.open()) {
      Guidance guided = new Guidance(net, labels, options.guidance(), evaluation);
      RelayStep stepper =
          RelayStep.of(options, guided, relayNoise, levels(raised, t), start.device());
      Tensor x = begin(start, relayNoise, t[0]);
      for (int i = 0; i <= last; i++) {
        try (var step = TensorScope.open();
            Tensor before = x) {
          ChurnStep churned = churned(before, t[i], raised[i], noise);
          double that = churned.sigma();
          Tensor denoised = guided.denoise(churned.x(), that);
          // As in the reference, churn noise reaches the image only through the network.
          x = step.keep(i == last ? denoised : stepper.take(before, that, denoised, t[i + 1]));
        }
        listener.stepDone(i + 1, last + 1);
      }
      return scope.keep(x);
    }
  }

  private static Tensor begin(Tensor start, RelayNoise noise, double t) {
    try (var scope = TensorScope.open()) {
      return scope.keep(noise.addTo(start, t));
    }
  }

  /** Returns the levels below the truncation, with the final 0. */
  private double[] levels(Denoiser net) {
    RelayOptions o = options;
    double[] all = NoiseLevels.of(net, o.sigmaMin(), o.sigmaMax(), o.rho(), o.numSteps());
    double[] kept = Arrays.stream(all).filter(t -> t < o.truncationSigma()).toArray();
    if (kept.length < 2) {
      throw new OptionException(
          "there are no steps below truncation_sigma = %s: the network's lowest noise level is %s"
              .formatted(o.truncationSigma(), all[all.length - 2]));
    }
    return kept;
  }

  /**
   * Returns the levels after churn. As in the reference, the churn is divided among the steps that
   * are left, not among all.
   */
  private double[] raised(Denoiser net, double[] t) {
    return options
        .churn()
        .map(churn -> ChurnStep.raised(churn, t.length - 1, net, t))
        .orElseGet(() -> Arrays.copyOf(t, t.length - 1));
  }

  /** Returns the levels at which a step begins or ends, but for the final 0. */
  private static double[] levels(double[] raised, double[] t) {
    return DoubleStream.concat(Arrays.stream(raised), Arrays.stream(t).filter(level -> level > 0))
        .toArray();
  }

  private ChurnStep churned(Tensor x, double t, double raised, StackedGenerators noise) {
    return options
        .churn()
        .map(churn -> ChurnStep.take(churn, x, t, raised, noise))
        .orElseGet(() -> new ChurnStep(x, t));
  }
}
