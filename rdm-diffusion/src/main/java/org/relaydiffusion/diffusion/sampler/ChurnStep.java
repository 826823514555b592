// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.Arrays;
import org.relaydiffusion.diffusion.Churn;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The first part of a stochastic step (arXiv 2206.00364, algorithm 2, lines 4 to 6): the noise
 * level is raised to {@code that = t + gamma t} by adding {@code sqrt(that^2 - t^2) S_noise N}.
 *
 * @param x the state at {@code sigma}, float64
 * @param sigma {@code that}
 */
record ChurnStep(Tensor x, double sigma) {
  /**
   * Returns {@code that} for each t, before the first step: a network may have to look it up on its
   * device.
   *
   * @param numSteps among which the churn is divided
   * @param levels t of each step, with the final 0, which has none
   */
  static double[] raised(Churn churn, int numSteps, Denoiser net, double[] levels) {
    return Arrays.stream(levels)
        .limit(levels.length - 1L)
        .map(t -> net.roundSigma(t + churn.gamma(t, numSteps) * t))
        .toArray();
  }

  /**
   * Performs it. Draws N even if gamma is 0 and it has no effect: the generators must advance.
   *
   * @param x the state at t
   * @param raised {@code that}
   */
  static ChurnStep take(Churn churn, Tensor x, double t, double raised, StackedGenerators noise) {
    double deviation = Math.sqrt(raised * raised - t * t) * churn.noise();
    try (var scope = TensorScope.open()) {
      Tensor n = noise.randnLike(x, DType.FLOAT64);
      return new ChurnStep(scope.keep(x.add(n.mul(deviation))), raised);
    }
  }
}
