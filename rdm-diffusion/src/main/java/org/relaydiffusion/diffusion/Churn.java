// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import org.relaydiffusion.OptionException;

/**
 * The noise that a sampler adds at each step (Karras et al., arXiv 2206.00364, algorithm 2). A
 * noise level t in [{@code min}, {@code max}] is first raised to {@code t (1 + gamma)} with {@code
 * gamma = min(amount / numSteps, sqrt(2) - 1)}.
 *
 * @param amount S_churn, at least 0; with 0 the sampler is deterministic
 * @param min S_min, at least 0
 * @param max S_max; may be infinite
 * @param noise S_noise, the standard deviation of the added noise; its sign has no effect
 */
public record Churn(double amount, double min, double max, double noise) {
  /** No churn: S_churn 0 at every level, S_noise 1. */
  public static final Churn OFF = new Churn(0, 0, Double.POSITIVE_INFINITY, 1);

  /** The values for the paper's ImageNet samples. */
  public static final Churn IMAGENET = new Churn(40, 0.05, 50, 1.003);

  private static final double MAX_GAMMA = Math.sqrt(2) - 1;

  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public Churn {
    Check.notNegative("S_churn", amount);
    Check.notNegative("S_min", min);
    if (!(max >= 0)) {
      throw new OptionException("S_max must be at least 0, but is " + max);
    }
    Check.finite("S_noise", noise);
  }

  /**
   * Returns the relative increase gamma of noise level {@code t} in a run of {@code numSteps}
   * steps.
   */
  public double gamma(double t, int numSteps) {
    return min <= t && t <= max ? Math.min(amount / numSteps, MAX_GAMMA) : 0;
  }
}
