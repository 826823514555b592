// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.OptionalDouble;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.schedule.KarrasSchedule;
import org.relaydiffusion.diffusion.schedule.LevelSchedule;

/**
 * Options of the solver of a stage that starts from noise, named as in the EDM paper (arXiv
 * 2206.00364). The sigma range is clipped to that of the network when sampling starts.
 *
 * @param solver name of the solver, such as {@code heun}
 * @param numSteps number of noise levels before the final 0, at least 2
 * @param sigmaMin the lowest noise level, at least 0
 * @param sigmaMax the highest noise level, above {@code sigmaMin}
 * @param rho the exponent of the schedule, above 0
 * @param schedule how the noise levels are spaced
 * @param churn noise added at each step by {@code heun} and {@code euler}
 * @param sdeScale if present, {@code heun} is the stochastic sampler of the CelebA-HQ script with
 *     this scale (0 is allowed), which has no guidance, as in the reference; if absent, it is
 *     Heun's method of the EDM paper
 */
public record EdmOptions(
    String solver,
    int numSteps,
    double sigmaMin,
    double sigmaMax,
    double rho,
    LevelSchedule schedule,
    Churn churn,
    OptionalDouble sdeScale)
    implements SolverOptions {
  /** The maximum number of noise levels. */
  public static final int MOST_STEPS = 100_000;

  /** The reference's defaults: Heun's method, 18 steps from 80 to 0.002 with rho 7, no churn. */
  public static final EdmOptions DEFAULT =
      new EdmOptions(
          "heun", 18, 0.002, 80, 7, LevelSchedule.KARRAS, Churn.OFF, OptionalDouble.empty());

  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public EdmOptions {
    KarrasSchedule _ = new KarrasSchedule(sigmaMin, sigmaMax, rho, numSteps);
    Check.atMost("num_steps", MOST_STEPS, numSteps);
    if (sdeScale.isPresent()) {
      Check.notNegative("sde_scale", sdeScale.getAsDouble());
      if (sdeScale.getAsDouble() > 1) {
        throw new OptionException("sde_scale must be at most 1, but is " + sdeScale.getAsDouble());
      }
    }
  }

  @Override
  public boolean startsFromNoise() {
    return true;
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
    private Churn churn;
    private OptionalDouble sdeScale;

    private Builder(EdmOptions from) {
      solver = from.solver;
      numSteps = from.numSteps;
      sigmaMin = from.sigmaMin;
      sigmaMax = from.sigmaMax;
      rho = from.rho;
      schedule = from.schedule;
      churn = from.churn;
      sdeScale = from.sdeScale;
    }

    /** Sets the solver by its name. */
    public Builder solver(String value) {
      solver = value;
      return this;
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

    /** Sets how the noise levels are spaced. */
    public Builder schedule(LevelSchedule value) {
      schedule = value;
      return this;
    }

    /** Sets the noise added at each step. */
    public Builder churn(Churn value) {
      churn = value;
      return this;
    }

    /** Selects the stochastic form of Heun's method, with this scale. */
    public Builder sdeScale(double value) {
      sdeScale = OptionalDouble.of(value);
      return this;
    }

    /** Selects the ordinary form of Heun's method. */
    public Builder withoutSdeScale() {
      sdeScale = OptionalDouble.empty();
      return this;
    }

    /**
     * Builds the options.
     *
     * @throws OptionException naming the value that is out of range
     */
    public EdmOptions build() {
      return new EdmOptions(solver, numSteps, sigmaMin, sigmaMax, rho, schedule, churn, sdeScale);
    }
  }
}
