// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.schedule.BlurSchedule;
import org.relaydiffusion.diffusion.schedule.KarrasSchedule;
import org.relaydiffusion.diffusion.schedule.LevelSchedule;

/**
 * Options of the solver of a further stage: a blurring diffusion with block noise that starts from
 * the image of the stage before it (arXiv 2309.03350, section 3). The sigma range is clipped to
 * that of the network when sampling starts.
 *
 * @param solver name of the solver, such as {@code relay}
 * @param numSteps number of noise levels of the schedule before truncation, at least 2
 * @param sigmaMin the lowest noise level, below {@code truncationSigma}
 * @param sigmaMax the highest noise level, above {@code sigmaMin}
 * @param rho the exponent of the schedule, above 0
 * @param schedule how the noise levels are spaced
 * @param upScale the side of a DCT patch and of a noise block in pixels, at least 1; must divide
 *     the network's resolution
 * @param truncationSigma noise levels at or above it are dropped; the relay starts below it
 * @param truncationT the position on the blur schedule at which the relay starts (prob_length),
 *     above 0
 * @param blockNoise s_block, the strength of the block noise, at least 0
 * @param noise s_noise, the fraction of new noise in each step, in [0, 1]; {@code relay-2m} ignores
 *     it
 * @param blurSigmaMax the standard deviation of the largest blur in pixels, at least 0
 * @param churn if present, selects the CelebA-HQ script's sampler, which draws churn noise at every
 *     step even if the amount is 0; if absent, there is no churn and no noise is drawn for it. Only
 *     {@code relay} has churn
 */
public record RelayOptions(
    String solver,
    int numSteps,
    double sigmaMin,
    double sigmaMax,
    double rho,
    LevelSchedule schedule,
    int upScale,
    double truncationSigma,
    double truncationT,
    double blockNoise,
    double noise,
    double blurSigmaMax,
    Optional<Churn> churn)
    implements SolverOptions {
  /** The maximum number of noise levels. */
  public static final int MOST_STEPS = 100_000;

  /** The defaults of the reference's generate script. */
  public static final RelayOptions DEFAULT =
      new RelayOptions(
          "relay",
          18,
          0.008,
          80,
          7,
          LevelSchedule.KARRAS,
          4,
          0.9,
          0.93,
          0.15,
          0.2,
          3,
          Optional.empty());

  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public RelayOptions {
    KarrasSchedule _ = new KarrasSchedule(sigmaMin, sigmaMax, rho, numSteps);
    Check.atMost("num_steps", MOST_STEPS, numSteps);
    BlurSchedule _ = new BlurSchedule(truncationT, blurSigmaMax);
    Check.atLeast("up_scale", 1, upScale);
    Check.positive("truncation_sigma", truncationSigma);
    if (sigmaMin >= truncationSigma) {
      throw new OptionException(
          "sigma_min must be below truncation_sigma = %s, but is %s: no steps would remain"
              .formatted(truncationSigma, sigmaMin));
    }
    Check.notNegative("s_block", blockNoise);
    if (!(noise >= 0 && noise <= 1)) {
      throw new OptionException("s_noise must be in [0, 1], but is " + noise);
    }
  }

  @Override
  public boolean startsFromNoise() {
    return false;
  }

  /** Returns the schedule of the blur. */
  public BlurSchedule blurSchedule() {
    return new BlurSchedule(truncationT, blurSigmaMax);
  }

  /** Returns a builder that starts from these options. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** Builds modified options. */
  public static final class Builder {
    private String solver;
    private int numSteps;
    private double sigmaMin;
    private double sigmaMax;
    private double rho;
    private LevelSchedule schedule;
    private int upScale;
    private double truncationSigma;
    private double truncationT;
    private double blockNoise;
    private double noise;
    private double blurSigmaMax;
    private Optional<Churn> churn;

    private Builder(RelayOptions from) {
      solver = from.solver;
      numSteps = from.numSteps;
      sigmaMin = from.sigmaMin;
      sigmaMax = from.sigmaMax;
      rho = from.rho;
      schedule = from.schedule;
      upScale = from.upScale;
      truncationSigma = from.truncationSigma;
      truncationT = from.truncationT;
      blockNoise = from.blockNoise;
      noise = from.noise;
      blurSigmaMax = from.blurSigmaMax;
      churn = from.churn;
    }

    /** Sets the solver by its name. */
    public Builder solver(String value) {
      solver = value;
      return this;
    }

    /** Sets the number of noise levels before truncation. */
    public Builder numSteps(int value) {
      numSteps = value;
      return this;
    }

    /** Sets the lowest noise level. */
    public Builder sigmaMin(double value) {
      sigmaMin = value;
      return this;
    }

    /** Sets the highest noise level of the schedule before truncation. */
    public Builder sigmaMax(double value) {
      sigmaMax = value;
      return this;
    }

    /** Sets the exponent of the schedule. */
    public Builder rho(double value) {
      rho = value;
      return this;
    }

    /** Sets how the noise levels are spaced. */
    public Builder schedule(LevelSchedule value) {
      schedule = value;
      return this;
    }

    /** Sets the side of a DCT patch and of a noise block. */
    public Builder upScale(int value) {
      upScale = value;
      return this;
    }

    /** Sets the noise level below which the relay starts. */
    public Builder truncationSigma(double value) {
      truncationSigma = value;
      return this;
    }

    /** Sets the position on the blur schedule at which the relay starts. */
    public Builder truncationT(double value) {
      truncationT = value;
      return this;
    }

    /** Sets the strength of the block noise. */
    public Builder blockNoise(double value) {
      blockNoise = value;
      return this;
    }

    /** Sets the fraction of new noise in each step. */
    public Builder noise(double value) {
      noise = value;
      return this;
    }

    /** Sets the standard deviation of the largest blur in pixels. */
    public Builder blurSigmaMax(double value) {
      blurSigmaMax = value;
      return this;
    }

    /** Selects the sampler that draws churn noise. */
    public Builder churn(Churn value) {
      churn = Optional.of(value);
      return this;
    }

    /** Selects the sampler without churn. */
    public Builder withoutChurn() {
      churn = Optional.empty();
      return this;
    }

    /**
     * Builds the options.
     *
     * @throws OptionException naming the value that is out of range
     */
    public RelayOptions build() {
      return new RelayOptions(
          solver,
          numSteps,
          sigmaMin,
          sigmaMax,
          rho,
          schedule,
          upScale,
          truncationSigma,
          truncationT,
          blockNoise,
          noise,
          blurSigmaMax,
          churn);
    }
  }
}
