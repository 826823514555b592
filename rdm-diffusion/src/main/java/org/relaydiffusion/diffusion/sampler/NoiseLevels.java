// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.Arrays;
import org.relaydiffusion.diffusion.schedule.KarrasSchedule;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** The noise levels of the steps: Karras' schedule, clipped and rounded to those of the network. */
final class NoiseLevels {
  private NoiseLevels() {}

  /**
   * Returns the levels, highest first, with the final 0: {@code numSteps + 1} of them.
   *
   * @throws org.relaydiffusion.OptionException if the range is empty
   */
  static double[] of(Denoiser net, double sigmaMin, double sigmaMax, double rho, int numSteps) {
    KarrasSchedule schedule =
        new KarrasSchedule(
            Math.max(sigmaMin, net.sigmaMin()), Math.min(sigmaMax, net.sigmaMax()), rho, numSteps);
    double[] levels = Arrays.copyOf(powers(schedule.roots(), rho), numSteps + 1);
    for (int i = 0; i < numSteps; i++) {
      levels[i] = net.roundSigma(levels[i]);
    }
    return levels;
  }

  /** Computes the power with LibTorch, whose bits sometimes differ from Java's. */
  private static double[] powers(double[] roots, double rho) {
    if (rho == 2) {
      return Arrays.stream(roots).map(r -> r * r).toArray();
    }
    if (rho == 3) {
      return Arrays.stream(roots).map(r -> r * r * r).toArray();
    }
    try (var _ = TensorScope.open()) {
      Tensor exponent = Torch.scalar(rho);
      return Pointwise.pow(Torch.tensor(roots, roots.length), exponent).toDoubles();
    }
  }
}
