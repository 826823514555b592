// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.schedule.KarrasSchedule;
import org.relaydiffusion.diffusion.schedule.LevelSchedule;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The order of each deterministic solver: its error at a noise level above 0 falls as that power of
 * the number of steps, for data whose ideal denoiser is known.
 */
class SolverOrderTest {
  private static final double HIGH = 80;
  private static final double LOW = 0.05;
  private static final int PIXELS = 24;

  /** The stated orders. */
  private static final Map<String, Integer> ORDERS =
      Map.of("euler", 1, "heun", 2, "dpmpp-2m", 2, "dpmpp-3m", 3, "unipc", 3);

  private static final ExactDenoiser.Gaussian GAUSSIAN =
      new ExactDenoiser.Gaussian(new double[] {0.3, -0.5, 0}, new double[] {0.5, 0.15, 1, 0.3});

  private static final ExactDenoiser.Mixture MIXTURE =
      new ExactDenoiser.Mixture(
          new double[] {0.4, 0.6}, new double[] {-0.6, 0.5}, new double[] {0.35, 0.25});

  private static final double[] MIXTURE_AT_LOW =
      Arrays.stream(start()).map(SolverOrderTest::rungeKutta).toArray();

  enum Spacing {
    LAMBDA,
    KARRAS,
    /** The lengths of steps differ by a factor of up to 3, without any regularity. */
    UNEVEN;

    /** Returns the levels between which this many steps lie. */
    double[] of(int steps) {
      int n = steps + 1;
      return switch (this) {
        case LAMBDA -> new LevelSchedule.UniformLambda().steps(LOW, HIGH, n);
        case KARRAS -> new KarrasSchedule(LOW, HIGH, 7, n).steps();
        case UNEVEN -> uneven(n);
      };
    }

    private static double[] uneven(int n) {
      double[] places = new double[n];
      for (int i = 1; i < n; i++) {
        places[i] = places[i - 1] + 1 + 0.5 * Math.sin(2.4 * i);
      }
      double length = Math.log(LOW / HIGH) / places[n - 1];
      return Arrays.stream(places).map(p -> HIGH * Math.exp(p * length)).toArray();
    }
  }

  static Stream<Arguments> cases() {
    return ORDERS.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .flatMap(row ->
            Arrays.stream(Spacing.values())
                .map(spacing -> Arguments.of(row.getKey(), row.getValue(), spacing)));
  }

  private static double[] start() {
    double[] start = new double[PIXELS];
    for (int i = 0; i < PIXELS; i++) {
      start[i] = HIGH * 2 * Math.sin(1 + i);
    }
    return start;
  }

  /** Steps to the last of the levels, which is above 0. */
  private static double[] solve(String name, ExactDenoiser.Prediction data, double[] levels) {
    Solver solver = Solvers.of(EdmOptions.DEFAULT.toBuilder().solver(name).build());
    NoiseLevels all = NoiseLevels.of(Arrays.copyOf(levels, levels.length + 1));
    try (var _ = GradMode.noGrad();
        var _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(0);
        Stepper stepper = solver.begin(new Batch(new ExactDenoiser(data), latents(), all, noise))) {
      Tensor x = stepper.start();
      for (int i = 0; i < levels.length - 1; i++) {
        x = stepper.step(i, x);
      }
      return x.toDoubles();
    }
  }

  private static Tensor latents() {
    return Torch.tensor(start(), 1, 1, 1, PIXELS).div(HIGH);
  }

  private static double slope(
      String name, Spacing spacing, ExactDenoiser.Prediction data, double[] exact, int... steps) {
    double[] logSteps = new double[steps.length];
    double[] logErrors = new double[steps.length];
    for (int k = 0; k < steps.length; k++) {
      double[] found = solve(name, data, spacing.of(steps[k]));
      double sum = 0;
      for (int i = 0; i < PIXELS; i++) {
        sum += (found[i] - exact[i]) * (found[i] - exact[i]);
      }
      logSteps[k] = Math.log(steps[k]);
      logErrors[k] = Math.log(sum) / 2;
    }
    return -Fits.slope(logSteps, logErrors);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theErrorForGaussianDataFallsWithTheOrder(String name, int order, Spacing spacing) {
    double[] exact = start();
    for (int i = 0; i < PIXELS; i++) {
      double v = GAUSSIAN.variance(i);
      double shrunk = Math.sqrt((v + LOW * LOW) / (v + HIGH * HIGH));
      exact[i] = GAUSSIAN.mean(i) + shrunk * (exact[i] - GAUSSIAN.mean(i));
    }
    assertThat(slope(name, spacing, GAUSSIAN, exact, 100, 200, 400)).isCloseTo(order, within(0.2));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theErrorForAMixtureFallsWithTheOrder(String name, int order, Spacing spacing) {
    assertThat(slope(name, spacing, MIXTURE, MIXTURE_AT_LOW, 100, 200, 400))
        .isCloseTo(order, within(0.2));
  }

  /** Solves dx / d lambda = D - x by the classical method with many steps. */
  private static double rungeKutta(double start) {
    int n = 20_000;
    double h = Math.log(HIGH / LOW) / n;
    double x = start;
    for (int i = 0; i < n; i++) {
      double t = HIGH * Math.exp(-i * h);
      double middle = t * Math.exp(-h / 2);
      double k1 = MIXTURE.of(0, x, t) - x;
      double x2 = x + h / 2 * k1;
      double k2 = MIXTURE.of(0, x2, middle) - x2;
      double x3 = x + h / 2 * k2;
      double k3 = MIXTURE.of(0, x3, middle) - x3;
      double x4 = x + h * k3;
      double k4 = MIXTURE.of(0, x4, t * Math.exp(-h)) - x4;
      x += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    }
    return x;
  }
}
