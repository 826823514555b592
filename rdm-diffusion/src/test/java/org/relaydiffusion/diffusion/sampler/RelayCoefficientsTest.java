// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.diffusion.schedule.BlurSchedule;

/** The coefficients of the multistep relay, in plain arithmetic. */
class RelayCoefficientsTest {
  private static final int SIDE = 4;
  private static final BlurSchedule BLUR = new BlurSchedule(0.93, 3);
  private static final BlurSchedule NO_BLUR = new BlurSchedule(0.93, 0);
  private static final double ROUNDING = 1e-13;
  private static final double START = 0.89;
  private static final double END = 0.05;

  /** How far the noise of the start has decayed at the end: by this power of e. */
  private static final double NOISE_RATE = 1.5;

  private static final OptionalDouble BEFORE = OptionalDouble.of(0.7);

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.2, 1})
  void aStepIsExactForAConstantPrediction(double fresh) {
    double t = 0.5;
    double target = 0.31;
    double[] alpha = BLUR.alphas(t, SIDE);
    double[] alphaAtEnd = BLUR.alphas(target, SIDE);
    for (OptionalDouble before : new OptionalDouble[] {OptionalDouble.empty(), BEFORE}) {
      RelayCoefficients c = RelayCoefficients.of(BLUR, SIDE, fresh, before, t, target);
      double x0 = 0.8;
      double noise = -1.7;
      for (int f = 0; f < SIDE * SIDE; f++) {
        double z = alpha[f] * x0 + t * noise;
        double moved = c.kept() * z + (c.current()[f] + c.previous()[f]) * x0;
        double carried = Math.sqrt(1 - fresh * fresh) * target * noise;
        assertThat(moved).isCloseTo(alphaAtEnd[f] * x0 + carried, within(ROUNDING));
      }
      // The variances of the carried and the new noise make up that of the level.
      assertThat(Math.hypot(Math.sqrt(1 - fresh * fresh) * target, c.added()))
          .isCloseTo(target, within(ROUNDING));
    }
  }

  /** As of a network that rounds two levels to the same one. */
  @Test
  void aStepOfNoLengthChangesNothingAndTheNextIsOfFirstOrder() {
    RelayCoefficients none = RelayCoefficients.of(BLUR, SIDE, 0, BEFORE, 0.5, 0.5);
    assertThat(none.kept()).isEqualTo(1);
    assertThat(none.current()).containsOnly(0);
    RelayCoefficients next = RelayCoefficients.of(BLUR, SIDE, 0, OptionalDouble.of(0.5), 0.5, 0.31);
    assertThat(next.previous()).usingComparatorWithPrecision(0.0).containsOnly(0);
    assertThat(next.current())
        .containsExactly(
            RelayCoefficients.of(BLUR, SIDE, 0, OptionalDouble.empty(), 0.5, 0.31).current());
  }

  /** Lu et al., arXiv 2211.01095, algorithm 2, with alpha = 1 and sigma = t. */
  @Test
  void withoutBlurTheyAreThoseOfDpmSolver() {
    double before = 0.7;
    double t = 0.5;
    double target = 0.31;
    double h = Math.log(t / target);
    double r = Math.log(before / t) / h;
    RelayCoefficients c =
        RelayCoefficients.of(NO_BLUR, SIDE, 0, OptionalDouble.of(before), t, target);
    assertThat(c.kept()).isCloseTo(target / t, within(ROUNDING));
    assertThat(c.added()).isZero();
    for (int f = 0; f < SIDE * SIDE; f++) {
      assertThat(c.current()[f]).isCloseTo(-Math.expm1(-h) * (1 + 1 / (2 * r)), within(ROUNDING));
      assertThat(c.previous()[f]).isCloseTo(Math.expm1(-h) / (2 * r), within(ROUNDING));
    }
  }

  /** Of the same paper: the SDE's solver replaces the fraction s with s^2 = 1 - exp(-2 h). */
  @Test
  void withoutBlurAndWithTheNoiseOfTheSdeTheyAreThoseOfItsSolver() {
    double before = 0.7;
    double t = 0.5;
    double target = 0.31;
    double h = Math.log(t / target);
    double r = Math.log(before / t) / h;
    double fresh = Math.sqrt(-Math.expm1(-2 * h));
    RelayCoefficients c =
        RelayCoefficients.of(NO_BLUR, SIDE, fresh, OptionalDouble.of(before), t, target);
    assertThat(c.kept()).isCloseTo(target / t * Math.exp(-h), within(ROUNDING));
    assertThat(c.added()).isCloseTo(target * Math.sqrt(-Math.expm1(-2 * h)), within(ROUNDING));
    double pull = -Math.expm1(-2 * h);
    assertThat(c.current()).containsOnly(c.current()[0]);
    assertThat(c.current()[0]).isCloseTo(pull * (1 + 1 / (2 * r)), within(ROUNDING));
    assertThat(c.previous()[0]).isCloseTo(-pull / (2 * r), within(ROUNDING));
  }

  /**
   * For Gaussian data the moments of the state obey a recursion. The fraction of new noise shrinks
   * with the steps, so that all runs approximate one stochastic differential equation.
   */
  @Test
  void theVarianceOfTheStochasticFormIsOfSecondOrder() {
    double few = varianceError(64, freshNoise(64));
    double many = varianceError(128, freshNoise(128));
    assertThat(Math.log(few / many) / Math.log(2)).isCloseTo(2, within(0.2));
  }

  @Test
  void theVarianceConvergesForAFixedFractionOfNewNoise() {
    double[] errors =
        IntStream.of(25, 50, 100, 200).mapToDouble(n -> varianceError(n, 0.2)).toArray();
    for (int i = 1; i < errors.length; i++) {
      assertThat(errors[i]).isLessThan(errors[i - 1] / 2);
    }
  }

  private static double freshNoise(int steps) {
    return Math.sqrt(-Math.expm1(-2 * NOISE_RATE / steps));
  }

  /** The largest error of the variance at the last level, relative to it. */
  private static double varianceError(int steps, double fresh) {
    double worst = 0;
    for (int f = 0; f < SIDE * SIDE; f++) {
      double deviation = 0.6 / (1 + f / SIDE + f % SIDE);
      worst = Math.max(worst, varianceError(steps, fresh, f, deviation));
    }
    return worst;
  }

  private static double varianceError(int steps, double fresh, int f, double deviation) {
    double variance = deviation * deviation;
    double ofState = marginal(START, f, variance);
    double ofPrediction = 0;
    double covariance = 0;
    for (int i = 0; i < steps; i++) {
      OptionalDouble before =
          i == 0 ? OptionalDouble.empty() : OptionalDouble.of(level(i - 1, steps));
      double t = level(i, steps);
      RelayCoefficients c = RelayCoefficients.of(BLUR, SIDE, fresh, before, t, level(i + 1, steps));
      double gain = BLUR.alphas(t, SIDE)[f] * variance / marginal(t, f, variance);
      double onState = c.kept() + c.current()[f] * gain;
      double onPrevious = c.previous()[f];
      double next =
          onState * onState * ofState
              + 2 * onState * onPrevious * covariance
              + onPrevious * onPrevious * ofPrediction
              + c.added() * c.added();
      covariance = gain * (onState * ofState + onPrevious * covariance);
      ofPrediction = gain * gain * ofState;
      ofState = next;
    }
    double exact = marginal(END, f, variance);
    return Math.abs(ofState / exact - 1);
  }

  private static double level(int i, int steps) {
    return START * Math.pow(END / START, (double) i / steps);
  }

  private static double marginal(double t, int f, double variance) {
    double alpha = BLUR.alphas(t, SIDE)[f];
    return alpha * alpha * variance + t * t;
  }
}
