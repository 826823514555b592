// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import org.apache.commons.statistics.distribution.NormalDistribution;
import org.relaydiffusion.diffusion.transfer.HostValues;
import org.relaydiffusion.diffusion.transfer.HostValues.Sent;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The noise level and blur of each image of a batch.
 *
 * @param u position on the schedule of each image, in (0, 1)
 * @param sigmas the noise levels
 */
record BlurLevels(float[] u, double[] sigmas) {
  private static final NormalDistribution NORMAL = NormalDistribution.of(0, 1);
  private static final double P_MEAN = -1.2;
  private static final double P_STD = 1.2;

  /** The noise level for the smallest u times probLength. */
  private static final double TRUNCATE_SIGMA = 0.0075;

  /**
   * Computes the levels of uniform numbers.
   *
   * @param uniform from [0, 1)
   * @param probLength in (0, 1]
   */
  static BlurLevels of(float[] uniform, double probLength) {
    double standard = (Math.log(TRUNCATE_SIGMA) - P_MEAN) / P_STD;
    // Multiplied here and once more below: the reference's smallest noise level is below 0.0075.
    float smallest = (float) (NORMAL.cumulativeProbability(standard) * probLength);
    float[] u = new float[uniform.length];
    double[] logarithms = new double[uniform.length];
    for (int i = 0; i < u.length; i++) {
      u[i] = Math.max(uniform[i], smallest);
      // The quantile is float32, values derived from it float64.
      float probability = u[i] * (float) probLength;
      float quantile = (float) NORMAL.inverseCumulativeProbability(probability);
      logarithms[i] = P_STD * quantile + P_MEAN;
    }
    try (TensorScope _ = TensorScope.open()) {
      // Java's exponential occasionally differs from LibTorch's by one ulp.
      double[] sigmas = Pointwise.exp(Torch.tensor(logarithms, u.length)).toDoubles();
      return new BlurLevels(u, sigmas);
    }
  }

  /**
   * The levels on a device.
   *
   * @param sigma the noise levels: float64 [N, 1, 1, 1]
   * @param blurSigmas the standard deviations of the blurs in pixels: float32 [N, 1, 1, 1]
   */
  record OnDevice(Tensor sigma, Tensor blurSigmas) {}

  /**
   * Copies the levels to a device, together and without waiting; they belong to the current scope.
   *
   * @param blurSigmaMax of the blurs, whose standard deviations are {@code blurSigmaMax sin^2(u pi
   *     / 2)}
   */
  OnDevice on(Device device, double blurSigmaMax) {
    try (TensorScope scope = TensorScope.open()) {
      HostValues values = new HostValues(device);
      Sent sigma = values.add(Torch.tensor(sigmas, sigmas.length, 1, 1, 1));
      Tensor angle = Torch.tensor(u, u.length, 1, 1, 1).mul(Math.PI / 2);
      Tensor squared = Pointwise.square(Pointwise.sin(angle));
      Sent blurSigmas = values.add(squared.mul(blurSigmaMax));
      values.send();
      return new OnDevice(scope.keep(sigma.get()), scope.keep(blurSigmas.get()));
    }
  }
}
