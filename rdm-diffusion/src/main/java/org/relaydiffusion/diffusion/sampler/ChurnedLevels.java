// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.relaydiffusion.diffusion.Churn;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The noise levels after churn, computed before the first step: a network may have to look them up
 * on its device.
 */
final class ChurnedLevels {
  private final Churn churn;
  private final Batch batch;
  private final double[] raised;

  private ChurnedLevels(Churn churn, Batch batch, double[] raised) {
    this.churn = churn;
    this.batch = batch;
    this.raised = raised;
  }

  /** Divides the churn among the steps of a batch. */
  static ChurnedLevels of(Churn churn, Batch batch) {
    NoiseLevels levels = batch.levels();
    Denoiser net = batch.denoiser().network();
    double[] raised = new double[levels.steps()];
    for (int i = 0; i < raised.length; i++) {
      double t = levels.at(i);
      raised[i] = net.roundSigma(t + churn.gamma(t, levels.steps()) * t);
    }
    return new ChurnedLevels(churn, batch, raised);
  }

  /** Returns the level of step {@code i} after churn. */
  double at(int i) {
    return raised[i];
  }

  /**
   * Performs the churn of step {@code i}. Draws its noise even if gamma is 0 and it has no effect:
   * the generators must advance.
   *
   * @param x the state at the level of the step
   */
  ChurnStep take(int i, Tensor x) {
    double t = batch.levels().at(i);
    double deviation = Math.sqrt(raised[i] * raised[i] - t * t) * churn.noise();
    try (var scope = TensorScope.open()) {
      Tensor n = batch.noise().randnLike(x, DType.FLOAT64);
      return new ChurnStep(scope.keep(x.add(n.mul(deviation))), raised[i]);
    }
  }
}
