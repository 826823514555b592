// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.OptionalDouble;
import org.relaydiffusion.diffusion.schedule.BlurSchedule;

/**
 * The coefficients of a multistep step of the relay from noise level t to t' above 0, where u is
 * the cosine transform by patches of the prediction at t, and u- that of the prediction before it:
 *
 * <pre>
 * x' = kept x + idct(current u + previous u-) + added (N + s_block B)
 * </pre>
 *
 * <p>In each frequency the state is {@code alpha x0 + t e}; a step replaces the fraction s of its
 * noise e. It is exact for a constant prediction. Otherwise the prediction is extrapolated linearly
 * in ln t to the middle of the step, which makes it of second order: with alpha = 1 it is a step of
 * DPM-Solver++(2M), or of its stochastic form if {@code s^2 = 1 - (t' / t)^2} (Lu et al., arXiv
 * 2211.01095). The extrapolation is weighted by {@code w = ln(t / t') / (2 ln(t- / t))}, where
 * {@code t-} is the level before t.
 *
 * @param kept {@code gamma = sqrt(1 - s^2) t' / t}
 * @param current of each frequency of a patch, row by row: {@code (alpha' - gamma alpha) (1 + w)}
 * @param previous of each frequency of a patch, row by row: {@code -(alpha' - gamma alpha) w}
 * @param added {@code s t'}
 */
record RelayCoefficients(double kept, double[] current, double[] previous, double added) {
  /**
   * Computes the coefficients of a step.
   *
   * @param schedule the damping alpha at each noise level
   * @param patchSize the side of a patch
   * @param fresh s, the fraction of the noise that is replaced, in [0, 1]
   * @param before t-; if it is absent or equals t, the step is of first order
   * @param t the level at which the step begins
   * @param target t', the level at which it ends, above 0 and at most t
   */
  static RelayCoefficients of(
      BlurSchedule schedule,
      int patchSize,
      double fresh,
      OptionalDouble before,
      double t,
      double target) {
    double kept = Math.sqrt(1 - fresh * fresh) * target / t;
    double weight = weight(before.orElse(t), t, target);
    double[] damping = schedule.alphas(t, patchSize);
    double[] dampingAtEnd = schedule.alphas(target, patchSize);
    double[] current = new double[damping.length];
    double[] previous = new double[damping.length];
    for (int f = 0; f < damping.length; f++) {
      double pull = dampingAtEnd[f] - kept * damping[f];
      current[f] = pull * (1 + weight);
      previous[f] = -pull * weight;
    }
    return new RelayCoefficients(kept, current, previous, fresh * target);
  }

  /** Returns w. Levels that a network rounds to the same one give no slope to extrapolate. */
  private static double weight(double before, double t, double target) {
    return before > t ? Math.log(t / target) / (2 * Math.log(before / t)) : 0;
  }
}
