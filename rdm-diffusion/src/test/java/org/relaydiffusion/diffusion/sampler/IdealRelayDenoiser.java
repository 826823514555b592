// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.Arrays;
import org.relaydiffusion.diffusion.blur.Dct;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.diffusion.schedule.BlurSchedule;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The ideal denoiser of a mixture of Gaussians with equal weights, for the blurring diffusion: the
 * mean of x0 given {@code z = alpha x0 + t e} with white noise e. One image of one patch. Within a
 * component the frequencies are independent; which component it is depends on all of them.
 *
 * @param schedule the damping
 * @param side of the patch
 * @param means one per component: the cosine transform of its mean, row by row
 * @param deviations of each frequency, the same in all components
 */
record IdealRelayDenoiser(BlurSchedule schedule, int side, double[][] means, double[] deviations)
    implements GuidedDenoiser {
  /** Returns the mean of x0 in each frequency. */
  double[] predict(double[] z, double t) {
    double[] alpha = schedule.alphas(t, side);
    double[] logWeights = Arrays.stream(means).mapToDouble(m -> log(z, t, alpha, m)).toArray();
    double largest = Arrays.stream(logWeights).max().orElseThrow();
    double[] weights = Arrays.stream(logWeights).map(w -> Math.exp(w - largest)).toArray();
    double sum = Arrays.stream(weights).sum();
    double[] mean = new double[z.length];
    for (int k = 0; k < means.length; k++) {
      for (int f = 0; f < z.length; f++) {
        double variance = deviations[f] * deviations[f];
        double gain = alpha[f] * variance / (alpha[f] * alpha[f] * variance + t * t);
        double within = means[k][f] + gain * (z[f] - alpha[f] * means[k][f]);
        mean[f] += weights[k] / sum * within;
      }
    }
    return mean;
  }

  private double log(double[] z, double t, double[] alpha, double[] mean) {
    double sum = 0;
    for (int f = 0; f < z.length; f++) {
      double distance = z[f] - alpha[f] * mean[f];
      double damped = alpha[f] * deviations[f];
      sum -= distance * distance / (2 * (damped * damped + t * t));
    }
    return sum;
  }

  @Override
  public Tensor denoise(Tensor x, double sigma) {
    try (TensorScope scope = TensorScope.open()) {
      double[] mean = predict(Dct.dct2d(x, side).toDoubles(), sigma);
      return scope.keep(Dct.idct2d(Torch.tensor(mean, 1, 1, side, side), side));
    }
  }

  @Override
  public Denoiser network() {
    throw new UnsupportedOperationException("there is no network");
  }

  @Override
  public GuidedDenoiser unguided() {
    return this;
  }
}
