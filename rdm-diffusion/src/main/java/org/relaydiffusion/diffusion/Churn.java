package org.relaydiffusion.diffusion;

import org.relaydiffusion.OptionException;

/**
 * How much fresh noise a sampler mixes in at each step (Karras et al., arXiv 2206.00364, algorithm
 * 2). At a noise level t inside [{@code min}, {@code max}] the level is first raised to {@code t (1
 * + gamma)} with {@code gamma = min(amount / numSteps, sqrt(2) - 1)}.
 *
 * @param amount S_churn, at least 0; 0 leaves the sampler deterministic
 * @param min S_min, at least 0
 * @param max S_max; may be infinite
 * @param noise S_noise, the fresh noise's deviation; its sign has no meaning
 */
public record Churn(double amount, double min, double max, double noise) {
  /** No churn: S_churn 0 at every level, S_noise 1. */
  public static final Churn OFF = new Churn(0, 0, Double.POSITIVE_INFINITY, 1);

  /** What the ImageNet samples of the paper were made with. */
  public static final Churn IMAGENET = new Churn(40, 0.05, 50, 1.003);

  private static final double MAX_GAMMA = Math.sqrt(2) - 1;

  /**
   * Checks the numbers.
   *
   * @throws OptionException naming the one that makes no sense
   */
  public Churn {
    Check.notNegative("S_churn", amount);
    Check.notNegative("S_min", min);
    if (!(max >= 0)) {
      throw new OptionException("S_max must be at least 0, but is " + max);
    }
    Check.finite("S_noise", noise);
  }

  /** By what part noise level {@code t} is raised in a run of {@code numSteps} steps. */
  public double gamma(double t, int numSteps) {
    return min <= t && t <= max ? Math.min(amount / numSteps, MAX_GAMMA) : 0;
  }
}
