// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

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
  /** Draws N even if gamma is 0 and it has no effect: the generators must advance. */
  static ChurnStep take(
      Churn churn, int numSteps, Denoiser net, Tensor x, double t, StackedGenerators noise) {
    double raised = net.roundSigma(t + churn.gamma(t, numSteps) * t);
    double deviation = Math.sqrt(raised * raised - t * t) * churn.noise();
    try (var scope = TensorScope.open()) {
      Tensor n = noise.randnLike(x, DType.FLOAT64);
      return new ChurnStep(scope.keep(x.add(n.mul(deviation))), raised);
    }
  }
}
