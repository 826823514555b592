// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.schedule;

import org.relaydiffusion.OptionException;

/**
 * The noise levels of a sampling run: {@code t_i = (smax^(1/rho) + i/(n-1) (smin^(1/rho) -
 * smax^(1/rho)))^rho} for i = 0 .. n-1, decreasing from {@code sigmaMax} to {@code sigmaMin}
 * (Karras et al., arXiv 2206.00364, equation 5). The samplers append the final 0, round to the
 * network's levels and apply the truncation of the relay.
 *
 * <p>All arithmetic is in float64 with correctly rounded powers, so the bits are the same on every
 * machine. LibTorch's vectorized {@code pow} rounds some steps differently: {@link #roots()} is for
 * callers that need its bits.
 *
 * @param sigmaMin the lowest level, at least 0
 * @param sigmaMax the highest level, above {@code sigmaMin}
 * @param rho the exponent, above 0: larger values give more steps at low noise
 * @param numSteps number of levels, at least 2
 */
public record KarrasSchedule(double sigmaMin, double sigmaMax, double rho, int numSteps) {
  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public KarrasSchedule {
    if (numSteps < 2) {
      throw new OptionException("num_steps must be at least 2, but is " + numSteps);
    }
    if (!(rho > 0) || Double.isInfinite(rho)) {
      throw new OptionException("rho must be a finite number above 0, but is " + rho);
    }
    if (!(sigmaMin >= 0)) {
      throw new OptionException("sigma_min must be at least 0, but is " + sigmaMin);
    }
    if (!(sigmaMax > sigmaMin) || Double.isInfinite(sigmaMax)) {
      throw new OptionException(
          "sigma_max must be finite and above sigma_min = %s, but is %s"
              .formatted(sigmaMin, sigmaMax));
    }
    if (Double.isInfinite(StrictMath.pow(sigmaMax, 1 / rho))) {
      throw new OptionException(
          "rho = %s is too small: sigma_max = %s to the power of 1 / rho is infinite"
              .formatted(rho, sigmaMax));
    }
  }

  /** Returns the {@code numSteps} levels, highest first. */
  public double[] steps() {
    double[] steps = roots();
    for (int i = 0; i < steps.length; i++) {
      steps[i] = Power.of(steps[i], rho);
    }
    return steps;
  }

  /**
   * Returns the values that are raised to the power of {@code rho}: evenly spaced, in the order of
   * {@link #steps()}.
   */
  public double[] roots() {
    double high = Power.of(sigmaMax, 1 / rho);
    double low = Power.of(sigmaMin, 1 / rho);
    double[] roots = new double[numSteps];
    for (int i = 0; i < numSteps; i++) {
      roots[i] = high + (double) i / (numSteps - 1) * (low - high);
    }
    return roots;
  }
}
