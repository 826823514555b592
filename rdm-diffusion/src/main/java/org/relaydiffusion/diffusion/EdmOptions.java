package org.relaydiffusion.diffusion;

import java.util.OptionalDouble;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.schedule.KarrasSchedule;

/**
 * How the first stage samples. The names are those of the EDM paper (arXiv 2206.00364); the sigma
 * range is cut to the network's own when sampling starts.
 *
 * @param numSteps how many noise levels before the final 0, at least 2
 * @param sigmaMin the lowest noise level, at least 0
 * @param sigmaMax the highest noise level, above {@code sigmaMin}
 * @param rho the curve's exponent, above 0
 * @param churn fresh noise at each step
 * @param guidance cfg_scale, the weight w of {@code w D(x|label) - (w - 1) D(x|none)}; 1 or less is
 *     the plain conditional network. Ignored where {@code sdeScale} is given, as in the reference
 * @param sdeScale if present, the stochastic sampler of the CelebA-HQ script with this scale (0 is
 *     allowed); if absent, Heun's method of the EDM paper
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
   * Checks the numbers.
   *
   * @throws OptionException naming the one that makes no sense
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

  /** A builder that starts from these options. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** Changes some of the options. */
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

    /** The number of noise levels before the final 0. */
    public Builder numSteps(int value) {
      numSteps = value;
      return this;
    }

    /** The lowest noise level. */
    public Builder sigmaMin(double value) {
      sigmaMin = value;
      return this;
    }

    /** The highest noise level. */
    public Builder sigmaMax(double value) {
      sigmaMax = value;
      return this;
    }

    /** The curve's exponent. */
    public Builder rho(double value) {
      rho = value;
      return this;
    }

    /** Fresh noise at each step. */
    public Builder churn(Churn value) {
      churn = value;
      return this;
    }

    /** The guidance scale. */
    public Builder guidance(double value) {
      guidance = value;
      return this;
    }

    /** Chooses the stochastic sampler, with this scale. */
    public Builder sdeScale(double value) {
      sdeScale = OptionalDouble.of(value);
      return this;
    }

    /** Chooses Heun's method. */
    public Builder heun() {
      sdeScale = OptionalDouble.empty();
      return this;
    }

    /** The options, checked. */
    public EdmOptions build() {
      return new EdmOptions(numSteps, sigmaMin, sigmaMax, rho, churn, guidance, sdeScale);
    }
  }
}
