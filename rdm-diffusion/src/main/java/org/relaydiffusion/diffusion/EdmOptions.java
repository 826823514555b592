// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.OptionalDouble;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.schedule.KarrasSchedule;

/**
 * Options of the first stage's sampler, named as in the EDM paper (arXiv 2206.00364). The sigma
 * range is clipped to that of the network when sampling starts.
 *
 * @param numSteps number of noise levels before the final 0, at least 2
 * @param sigmaMin the lowest noise level, at least 0
 * @param sigmaMax the highest noise level, above {@code sigmaMin}
 * @param rho the exponent of the schedule, above 0
 * @param churn noise added at each step
 * @param guidance cfg_scale, the weight w of {@code w D(x|label) - (w - 1) D(x|none)}; 1 or less
 *     means no guidance. Ignored if {@code sdeScale} is present, as in the reference
 * @param sdeScale if present, selects the stochastic sampler of the CelebA-HQ script with this
 *     scale (0 is allowed); if absent, Heun's method of the EDM paper is used
 */
public record EdmOptions(
    int numSteps,
    double sigmaMin,
    double sigmaMax,
    double rho,
    Churn churn,
    double guidance,
    OptionalDouble sdeScale) {
  /** The reference's defaults: 18 steps from 80 to 0.002 with rho 7, no churn, no guidance. */
  public static final EdmOptions DEFAULT =
      new EdmOptions(18, 0.002, 80, 7, Churn.OFF, 1, OptionalDouble.empty());

  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public EdmOptions {
    KarrasSchedule _ = new KarrasSchedule(sigmaMin, sigmaMax, rho, numSteps);
    Check.notNegative("cfg_scale", guidance);
    if (sdeScale.isPresent()) {
      Check.notNegative("sde_scale", sdeScale.getAsDouble());
      if (sdeScale.getAsDouble() > 1) {
        throw new OptionException("sde_scale must be at most 1, but is " + sdeScale.getAsDouble());
      }
    }
  }

  /** Returns a builder that starts from these options. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** Builds modified options. */
  public static final class Builder {
    private int numSteps;
    private double sigmaMin;
    private double sigmaMax;
    private double rho;
    private Churn churn;
    private double guidance;
    private OptionalDouble sdeScale;

    private Builder(EdmOptions from) {
      numSteps = from.numSteps;
      sigmaMin = from.sigmaMin;
      sigmaMax = from.sigmaMax;
      rho = from.rho;
      churn = from.churn;
      guidance = from.guidance;
      sdeScale = from.sdeScale;
    }

    /** Sets the number of noise levels before the final 0. */
    public Builder numSteps(int value) {
      numSteps = value;
      return this;
    }

    /** Sets the lowest noise level. */
    public Builder sigmaMin(double value) {
      sigmaMin = value;
      return this;
    }

    /** Sets the highest noise level. */
    public Builder sigmaMax(double value) {
      sigmaMax = value;
      return this;
    }

    /** Sets the exponent of the schedule. */
    public Builder rho(double value) {
      rho = value;
      return this;
    }

    /** Sets the noise added at each step. */
    public Builder churn(Churn value) {
      churn = value;
      return this;
    }

    /** Sets the guidance scale. */
    public Builder guidance(double value) {
      guidance = value;
      return this;
    }

    /** Selects the stochastic sampler, with this scale. */
    public Builder sdeScale(double value) {
      sdeScale = OptionalDouble.of(value);
      return this;
    }

    /** Selects Heun's method. */
    public Builder heun() {
      sdeScale = OptionalDouble.empty();
      return this;
    }

    /**
     * Builds the options.
     *
     * @throws OptionException naming the value that is out of range
     */
    public EdmOptions build() {
      return new EdmOptions(numSteps, sigmaMin, sigmaMax, rho, churn, guidance, sdeScale);
    }
  }
}
