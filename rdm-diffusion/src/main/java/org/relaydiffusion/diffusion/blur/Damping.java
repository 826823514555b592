// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import org.relaydiffusion.diffusion.schedule.BlurSchedule;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The damping of each frequency of a patch by a blur: {@code alpha(u, v) = exp(-(pi^2 / s^2)(u^2 +
 * v^2) tau) (1 - minScale) + minScale} (arXiv 2209.05557, appendix A).
 *
 * <p>The factors are float32, as in the reference after type promotion, and LibTorch computes the
 * exponential, so they are bit-identical to the reference's.
 */
public final class Damping {
  private Damping() {}

  /**
   * Returns the factors at one noise level, repeated over the image.
   *
   * @param schedule the blur at each noise level
   * @param t the noise level, at least 0
   * @param patchSize s
   * @param images [N, C, H, W]; s must divide H and W. Only its size and device are used
   * @return float32 [H, W], in the current scope
   */
  public static Tensor at(BlurSchedule schedule, double t, int patchSize, Tensor images) {
    Patches.check(images, patchSize);
    try (var scope = TensorScope.open()) {
      Tensor tile = tile(schedule, t, patchSize).to(images.device());
      return scope.keep(
          Shapes.repeat(tile, images.size(2) / patchSize, images.size(3) / patchSize));
    }
  }

  /** Returns the factors of one patch: float32 [s, s] on the CPU, in the current scope. */
  public static Tensor tile(BlurSchedule schedule, double t, int patchSize) {
    try (var scope = TensorScope.open()) {
      float tau = (float) schedule.dissipationTime(t);
      float[] exponents = squaredFrequencies(patchSize);
      for (int i = 0; i < exponents.length; i++) {
        exponents[i] = -exponents[i] * tau;
      }
      Tensor e = Torch.tensor(exponents, patchSize, patchSize);
      return scope.keep(scaled(e, schedule.minScale()));
    }
  }

  /**
   * Returns the factors of one patch for blurs with given standard deviations.
   *
   * @param squares the {@link #squares} of the patch, on the device of {@code blurSigmas}
   * @param blurSigmas [N, 1, 1, 1], in pixels; float32 or float64
   * @param minScale the factor that remains at the highest frequencies
   * @return [N, 1, s, s] in the dtype of {@code blurSigmas}
   */
  static Tensor tiles(Tensor squares, Tensor blurSigmas, double minScale) {
    try (var scope = TensorScope.open()) {
      Tensor tau = Pointwise.square(blurSigmas).div(2);
      return scope.keep(scaled(Pointwise.neg(squares).mul(tau), minScale));
    }
  }

  /** Returns the squared frequencies of one patch: float32 [s, s] on the CPU. */
  static Tensor squares(int patchSize) {
    return Torch.tensor(squaredFrequencies(patchSize), patchSize, patchSize);
  }

  private static Tensor scaled(Tensor exponents, double minScale) {
    return Pointwise.exp(exponents).mul(1 - minScale).add(minScale);
  }

  /**
   * Returns {@code (pi u / s)^2 + (pi v / s)^2} at index {@code u s + v}, with every operation in
   * float32.
   */
  private static float[] squaredFrequencies(int s) {
    float[] squares = new float[s];
    for (int u = 0; u < s; u++) {
      float frequency = (float) Math.PI * u / s;
      squares[u] = frequency * frequency;
    }
    float[] sums = new float[s * s];
    for (int u = 0; u < s; u++) {
      for (int v = 0; v < s; v++) {
        sums[u * s + v] = squares[u] + squares[v];
      }
    }
    return sums;
  }
}
