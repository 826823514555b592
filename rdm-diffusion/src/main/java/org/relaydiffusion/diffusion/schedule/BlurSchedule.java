// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.schedule;

import org.apache.commons.statistics.distribution.NormalDistribution;
import org.relaydiffusion.OptionException;

/**
 * The blur of the relay's second stage at each noise level (arXiv 2309.03350, section 3; the
 * damping of frequencies is that of Hoogeboom and Salimans, arXiv 2209.05557, appendix A). For
 * noise level t: {@code p = Phi((ln t + 1.2) / 1.2) / probLength}, {@code sigma_B = blurSigmaMax
 * sin^2(p pi / 2)}, {@code tau = sigma_B^2 / 2}, and frequency (u, v) of an s x s patch is
 * multiplied by {@code alpha = exp(-((pi u / s)^2 + (pi v / s)^2) tau) (1 - minScale) + minScale}.
 *
 * @param probLength the fraction of the distribution of noise levels over which the blur grows;
 *     above 0
 * @param blurSigmaMax the standard deviation of the blur in pixels at p = 1; at least 0
 * @param minScale the factor that remains at the highest frequencies, in [0, 1)
 */
public record BlurSchedule(double probLength, double blurSigmaMax, double minScale) {
  /** The reference's smallest factor. */
  public static final double DEFAULT_MIN_SCALE = 0.001;

  /** The distribution of ln t in training: mean -1.2, standard deviation 1.2. */
  private static final NormalDistribution LOG_NOISE = NormalDistribution.of(-1.2, 1.2);

  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public BlurSchedule {
    if (!(probLength > 0) || Double.isInfinite(probLength)) {
      throw new OptionException(
          "prob_length must be a finite number above 0, but is " + probLength);
    }
    if (!(blurSigmaMax >= 0) || Double.isInfinite(blurSigmaMax)) {
      throw new OptionException(
          "blur_sigma_max must be a finite number of at least 0, but is " + blurSigmaMax);
    }
    if (!(minScale >= 0 && minScale < 1)) {
      throw new OptionException("min_scale must be in [0, 1), but is " + minScale);
    }
  }

  /** Creates a schedule with the reference's {@link #DEFAULT_MIN_SCALE}. */
  public BlurSchedule(double probLength, double blurSigmaMax) {
    this(probLength, blurSigmaMax, DEFAULT_MIN_SCALE);
  }

  /**
   * Returns the position of noise level {@code t} on the schedule: 0 at t = 0, 1 where Phi reaches
   * {@code probLength}; it may exceed 1.
   *
   * @param t the noise level, at least 0
   */
  public double progress(double t) {
    if (!(t >= 0)) {
      throw new IllegalArgumentException("a noise level must be at least 0, but is " + t);
    }
    return LOG_NOISE.cumulativeProbability(Math.log(t)) / probLength;
  }

  /** Returns the standard deviation of the blur in pixels at noise level {@code t}. */
  public double blurSigma(double t) {
    double sine = Math.sin(progress(t) * Math.PI / 2);
    return blurSigmaMax * (sine * sine);
  }

  /** Returns the dissipation time {@code blurSigma^2 / 2} at noise level {@code t}. */
  public double dissipationTime(double t) {
    double sigma = blurSigma(t);
    return sigma * sigma / 2;
  }

  /**
   * Returns the factors of one patch at noise level {@code t}, computed in float32 throughout, as
   * in the reference after type promotion; they repeat over the image.
   *
   * @param t the noise level, at least 0
   * @param patchSize s, the side of a DCT patch in pixels, 1 to 1024
   * @return [s, s] row by row, {@code alpha(u, v)} at {@code u s + v}; symmetric, 1 at (0, 0)
   * @throws OptionException if the patch size is out of range
   */
  public float[] alphaTile(double t, int patchSize) {
    if (patchSize < 1 || patchSize > 1024) {
      throw new OptionException("the patch size must be 1 to 1024, but is " + patchSize);
    }
    float[] squares = new float[patchSize];
    for (int u = 0; u < patchSize; u++) {
      float frequency = (float) Math.PI * u / patchSize;
      squares[u] = frequency * frequency;
    }
    float tau = (float) dissipationTime(t);
    float range = (float) (1 - minScale);
    float floor = (float) minScale;
    float[] tile = new float[patchSize * patchSize];
    for (int u = 0; u < patchSize; u++) {
      for (int v = 0; v < patchSize; v++) {
        float exponent = -(squares[u] + squares[v]) * tau;
        tile[u * patchSize + v] = (float) Math.exp(exponent) * range + floor;
      }
    }
    return tile;
  }

  /**
   * Returns the factors of one patch at noise level {@code t}, computed in float64 throughout.
   *
   * @param t the noise level, at least 0
   * @param patchSize s, the side of a DCT patch in pixels, at least 1
   * @return [s, s] row by row, {@code alpha(u, v)} at {@code u s + v}; symmetric, 1 at (0, 0)
   */
  public double[] alphas(double t, int patchSize) {
    double tau = dissipationTime(t);
    double[] factors = new double[patchSize * patchSize];
    for (int u = 0; u < patchSize; u++) {
      for (int v = 0; v < patchSize; v++) {
        double frequency = Math.PI / patchSize * Math.hypot(u, v);
        // The mean is kept by any blur, even by one whose tau overflows.
        double exponent = frequency == 0 ? 0 : -frequency * frequency * tau;
        factors[u * patchSize + v] = Math.exp(exponent) * (1 - minScale) + minScale;
      }
    }
    return factors;
  }
}
