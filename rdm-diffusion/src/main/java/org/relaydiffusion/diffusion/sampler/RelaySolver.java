// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The reference's solver of the second stage: a blurring diffusion with block noise that starts
 * from an upsampled image (arXiv 2309.03350, section 3). It starts at the first noise level t_0
 * below {@code truncation_sigma}, from {@code x = image + t_0 N + s_block t_0 B}, and ends with the
 * network's prediction at the last level. {@link RelayStep} performs the steps between.
 *
 * @param options the steps, blur and noise
 */
public record RelaySolver(RelayOptions options) implements Solver {
  @Override
  public NoiseLevels levels(Denoiser net) {
    return levels(options, net);
  }

  /**
   * Returns the levels below the truncation, with the final 0.
   *
   * @throws OptionException if there are none
   */
  static NoiseLevels levels(RelayOptions options, Denoiser net) {
    NoiseLevels all = NoiseLevels.of(options, net);
    NoiseLevels kept = all.below(options.truncationSigma());
    if (kept.steps() < 1) {
      throw new OptionException(
          "there are no steps below truncation_sigma = %s: the network's lowest noise level is %s"
              .formatted(options.truncationSigma(), all.at(all.steps() - 1)));
    }
    return kept;
  }

  @Override
  public int calls(int steps) {
    return 2 * steps - 1;
  }

  /**
   * Begins the steps; block noise is drawn in the dtype of the start. They fail if {@code up_scale}
   * does not divide the image.
   */
  @Override
  public Stepper begin(Batch batch) {
    // As in the reference, the churn is divided among the steps that are left, not among all.
    Optional<ChurnedLevels> churned = options.churn().map(churn -> ChurnedLevels.of(churn, batch));
    RelayNoise noise = new RelayNoise(options, batch.noise(), batch.start().dtype());
    GuidedDenoiser denoiser = batch.denoiser();
    RelayStep stepper =
        RelayStep.of(options, denoiser, noise, damped(batch, churned), batch.start().device());
    NoiseLevels levels = batch.levels();
    return new Stepper() {
      @Override
      public Tensor start() {
        return begin(batch.start(), noise, levels.at(0));
      }

      @Override
      public Tensor step(int i, Tensor x) {
        ChurnStep from =
            churned.map(c -> c.take(i, x)).orElseGet(() -> new ChurnStep(x, levels.at(i)));
        Tensor denoised = denoiser.denoise(from.x(), from.sigma());
        // As in the reference, churn noise reaches the image only through the network.
        return i == levels.steps() - 1
            ? denoised
            : stepper.take(x, from.sigma(), denoised, levels.at(i + 1));
      }
    };
  }

  /** Returns the state at the first level: {@code image + t_0 (N + s_block B)}. */
  static Tensor begin(Tensor start, RelayNoise noise, double t) {
    try (var scope = TensorScope.open()) {
      return scope.keep(noise.addTo(start, t));
    }
  }

  /** Returns the levels at which a step begins or ends, but for the final 0. */
  private static double[] damped(Batch batch, Optional<ChurnedLevels> churned) {
    NoiseLevels levels = batch.levels();
    int n = levels.steps();
    double[] all = new double[2 * n];
    for (int i = 0; i < n; i++) {
      double t = levels.at(i);
      int step = i;
      all[i] = churned.map(c -> c.at(step)).orElse(t);
      all[n + i] = t;
    }
    return all;
  }
}
