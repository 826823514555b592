// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.diffusion.Churn;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.schedule.LevelSchedule;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The distribution of the stochastic solvers for Gaussian data. Their steps are linear in the state
 * then, so that its mean and variance are propagated exactly, without samples.
 */
class StochasticSolverTest {
  private static final double HIGH = 20;
  private static final double LOW = 0.05;

  private static final Churn CHURN = new Churn(6, 0.1, 10, 1.01);

  private static final ExactDenoiser.Gaussian DATA =
      new ExactDenoiser.Gaussian(new double[] {0.4, -0.2}, new double[] {0.5, 0.2});

  /**
   * Mean and variance of a pixel's distance from the data's mean, and of the state before.
   *
   * @param together the covariance of the two states
   */
  private record Moments(
      double mean, double variance, double meanBefore, double varianceBefore, double together) {
    static Moments of(double mean, double variance) {
      return new Moments(mean, variance, 0, 0, 0);
    }

    /** The state is {@code now x + before x_1 + deviation N} from here on. */
    Moments after(double now, double before, double deviation) {
      return new Moments(
          now * mean + before * meanBefore,
          now * now * variance
              + 2 * now * before * together
              + before * before * varianceBefore
              + deviation * deviation,
          mean,
          variance,
          now * variance + before * together);
    }
  }

  /** Returns the part of the distance from the mean that the ideal denoiser keeps. */
  private static double kept(double variance, double t) {
    return variance / (variance + t * t);
  }

  private static Moments sde(double[] levels, double variance, Moments start) {
    Moments moments = start;
    for (int i = 0; i < levels.length - 1; i++) {
      double now = kept(variance, levels[i]);
      if (levels[i + 1] == 0) {
        return moments.after(now, 0, 0);
      }
      double h = Math.log(levels[i] / levels[i + 1]);
      LinearUpdate u =
          i == 0
              ? SdeDpmPlusPlus2mSolver.update(h)
              : SdeDpmPlusPlus2mSolver.update(h, Math.log(levels[i - 1] / levels[i]));
      double before = i == 0 ? 0 : u.weights()[1] * kept(variance, levels[i - 1]);
      moments =
          moments.after(
              u.kept() + u.weights()[0] * now,
              before,
              SdeDpmPlusPlus2mSolver.deviation(levels[i], levels[i + 1]));
    }
    return moments;
  }

  private static Moments euler(double[] levels, double variance, Moments start) {
    Moments moments = start;
    int steps = levels.length - 1;
    for (int i = 0; i < steps; i++) {
      double t = levels[i];
      double raised = t * (1 + CHURN.gamma(t, steps));
      double added = Math.sqrt(raised * raised - t * t) * CHURN.noise();
      double part = kept(variance, raised);
      double factor = part + levels[i + 1] / raised * (1 - part);
      moments = moments.after(factor, 0, factor * added);
    }
    return moments;
  }

  private static double[] levels(int steps) {
    return new LevelSchedule.UniformLambda().steps(LOW, HIGH, steps + 1);
  }

  private static double[] toZero(int steps) {
    return Arrays.copyOf(levels(steps - 1), steps + 1);
  }

  /**
   * The variance approaches that of the exact diffusion with the second power. The mean is exact
   * with any steps, because its prediction does not change along the way.
   */
  @Test
  void theWeakOrderOfTheTwoStepMethodIsTwo() {
    int[] steps = {80, 160, 320, 640};
    double[] logSteps = Arrays.stream(steps).mapToDouble(Math::log).toArray();
    for (double variance : new double[] {0.04, 0.25, 1}) {
      double high = variance + HIGH * HIGH;
      double low = variance + LOW * LOW;
      Moments start = Moments.of(-0.4, HIGH * HIGH);
      // d mean / d lambda = -2 t^2 / (s^2 + t^2) mean; the variance's distance from s^2 + t^2
      // falls twice as fast.
      double mean = start.mean * low / high;
      double exact = low + (start.variance - high) * (low / high) * (low / high);
      double[] logErrors = new double[steps.length];
      for (int k = 0; k < steps.length; k++) {
        Moments found = sde(levels(steps[k]), variance, start);
        assertThat(found.mean).isCloseTo(mean, within(1e-12));
        logErrors[k] = Math.log(Math.abs(found.variance - exact));
      }
      assertThat(-Fits.slope(logSteps, logErrors)).isCloseTo(2, within(0.2));
    }
  }

  @Test
  void manyStepsGiveTheDataItself() {
    for (int pixel = 0; pixel < 2; pixel++) {
      double variance = DATA.variance(pixel);
      Moments end = sde(toZero(200), variance, Moments.of(-DATA.mean(pixel), HIGH * HIGH));
      assertThat(end.mean).isCloseTo(0, within(1e-3));
      // The last step returns the mean of what the noise of the lowest level hides.
      double hidden = kept(variance, LOW);
      assertThat(end.variance).isCloseTo(variance * hidden, within(2e-3 * variance));
    }
  }

  static Stream<Arguments> solvers() {
    return Stream.of(
        Arguments.of("sde-dpmpp-2m", 4),
        Arguments.of("sde-dpmpp-2m", 24),
        Arguments.of("euler", 4),
        Arguments.of("euler", 24));
  }

  /** 200,000 pixels have the moments that the steps must give, within 5 standard errors. */
  @ParameterizedTest
  @MethodSource("solvers")
  void samplesHaveTheirMeanAndCovariance(String name, int steps) {
    double[] levels = toZero(steps);
    double[] images = sample(name, levels);
    int n = images.length / 2;
    double[] sums = new double[2];
    for (int i = 0; i < images.length; i++) {
      sums[i % 2] += images[i];
    }
    double[][] products = new double[2][2];
    for (int i = 0; i < n; i++) {
      double a = images[2 * i] - sums[0] / n;
      double b = images[2 * i + 1] - sums[1] / n;
      products[0][0] += a * a;
      products[0][1] += a * b;
      products[1][1] += b * b;
    }
    double[] variances = new double[2];
    for (int pixel = 0; pixel < 2; pixel++) {
      Moments start = Moments.of(-DATA.mean(pixel), HIGH * HIGH);
      Moments expected =
          name.equals("euler")
              ? euler(levels, DATA.variance(pixel), start)
              : sde(levels, DATA.variance(pixel), start);
      variances[pixel] = expected.variance;
      assertThat(sums[pixel] / n)
          .as("mean of pixel %s", pixel)
          .isCloseTo(
              DATA.mean(pixel) + expected.mean, within(5 * Math.sqrt(expected.variance / n)));
      assertThat(products[pixel][pixel] / n)
          .as("variance of pixel %s", pixel)
          .isCloseTo(expected.variance, within(5 * expected.variance * Math.sqrt(2.0 / n)));
    }
    assertThat(products[0][1] / n)
        .as("covariance")
        .isCloseTo(0, within(5 * Math.sqrt(variances[0] * variances[1] / n)));
  }

  private static double[] sample(String name, double[] levels) {
    Solver solver = Solvers.of(EdmOptions.DEFAULT.toBuilder().solver(name).churn(CHURN).build());
    try (var _ = GradMode.noGrad();
        var _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(1, 2)) {
      Tensor latents = noise.randn(DType.FLOAT64, 1, 100, 1000);
      NoiseLevels all = NoiseLevels.of(levels);
      Batch batch = new Batch(new ExactDenoiser(DATA), latents, all, noise);
      try (Stepper stepper = solver.begin(batch)) {
        Tensor x = stepper.start();
        for (int i = 0; i < all.steps(); i++) {
          x = stepper.step(i, x);
        }
        return x.toDoubles();
      }
    }
  }
}
