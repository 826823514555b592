// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.random;

import java.util.Arrays;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Spherical linear interpolation (Shoemake 1985) of latents. Standard normal latents of d elements
 * have a norm near sqrt(d), and so have the results, unlike the means of a linear interpolation
 * (White, arXiv 1609.04468).
 */
public final class Slerp {
  /**
   * Below this sine of the angle, directions are parallel: linear interpolation then differs from
   * spherical by less than float32 can represent.
   */
  private static final double PARALLEL = 1e-4;

  private Slerp() {}

  /**
   * Interpolates along the great circle from one latent to another: the direction turns at constant
   * speed, and the norm changes linearly. The ends are returned exactly. If the latents are
   * parallel, opposite, or zero, no great circle is defined, and the interpolation is linear.
   *
   * @param from at {@code t} = 0: float32 [C, H, W]
   * @param to at {@code t} = 1: of the same shape, dtype and device
   * @param t from 0 to 1
   * @return float32 [C, H, W] on the same device; belongs to the current scope. It is computed on
   *     the CPU in float64, with the same bits on every machine
   * @throws IllegalArgumentException if the latents do not match, or {@code t} is not in [0, 1]
   */
  public static Tensor interpolate(Tensor from, Tensor to, double t) {
    if (!(t >= 0 && t <= 1)) {
      throw new IllegalArgumentException("t must be from 0 to 1, but found " + t);
    }
    if (from.dtype() != DType.FLOAT32
        || to.dtype() != DType.FLOAT32
        || !Arrays.equals(from.shape(), to.shape())
        || !from.device().equals(to.device())) {
      throw new IllegalArgumentException(
          "latents must be float32, of the same shape and on the same device, but found %s and %s"
              .formatted(from.describe(), to.describe()));
    }
    float[] a = from.toFloats();
    float[] b = to.toFloats();
    Weights weights = Weights.of(a, b, t);
    float[] result = new float[a.length];
    for (int i = 0; i < a.length; i++) {
      result[i] = (float) (weights.from * a[i] + weights.to * b[i]);
    }
    try (TensorScope scope = TensorScope.open()) {
      return scope.keep(Torch.tensor(result, from.shape()).to(from.device()));
    }
  }

  /** The weights of the two latents in their sum. */
  private record Weights(double from, double to) {
    static Weights of(float[] a, float[] b, double t) {
      double normA = StrictMath.sqrt(dot(a, a));
      double normB = StrictMath.sqrt(dot(b, b));
      double cosine = Math.clamp(dot(a, b) / (normA * normB), -1.0, 1.0);
      double angle = StrictMath.acos(cosine);
      double sine = StrictMath.sin(angle);
      // Also for NaN, as with a latent of zeros.
      if (!(sine >= PARALLEL)) {
        return new Weights(1 - t, t);
      }
      double norm = (1 - t) * normA + t * normB;
      return new Weights(
          norm / normA * (StrictMath.sin((1 - t) * angle) / sine),
          norm / normB * (StrictMath.sin(t * angle) / sine));
    }

    private static double dot(float[] a, float[] b) {
      double sum = 0;
      for (int i = 0; i < a.length; i++) {
        sum += (double) a[i] * b[i];
      }
      return sum;
    }
  }
}
