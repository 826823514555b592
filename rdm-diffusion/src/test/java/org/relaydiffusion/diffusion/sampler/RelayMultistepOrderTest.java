// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.blur.Dct;
import org.relaydiffusion.diffusion.schedule.KarrasSchedule;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The order of the relay's solvers, where the ideal denoiser is known: the error at a noise level
 * above 0, in the cosine transform, against the exact solution.
 */
class RelayMultistepOrderTest {
  private static final int SIDE = 4;
  private static final int FREQUENCIES = SIDE * SIDE;
  private static final double START = 0.89;
  private static final double END = 0.05;

  /** Steps enough for the order to show, and few enough for float32 damping not to. */
  private static final int STEPS = 64;

  private static final RelayOptions OPTIONS =
      RelayOptions.DEFAULT.toBuilder().upScale(SIDE).blockNoise(0).noise(0).build();

  private static final RelayOptions NO_BLUR = OPTIONS.toBuilder().blurSigmaMax(0).build();

  /** Data whose denoiser is linear, and data where it is not. */
  enum Data {
    GAUSSIAN(1, 0.6),
    MIXTURE(3, 0.2);

    private final int components;
    private final double deviation;

    Data(int components, double deviation) {
      this.components = components;
      this.deviation = deviation;
    }

    /** Natural images have less of the higher frequencies. */
    IdealRelayDenoiser denoiser(RelayOptions options) {
      Random random = new Random(3);
      double[] scale =
          IntStream.range(0, FREQUENCIES)
              .mapToDouble(f -> 1.0 / (1 + f / SIDE + f % SIDE))
              .toArray();
      double[][] means = new double[components][FREQUENCIES];
      for (double[] mean : means) {
        Arrays.setAll(mean, f -> random.nextGaussian() * scale[f]);
      }
      double[] deviations = Arrays.stream(scale).map(s -> deviation * s).toArray();
      return new IdealRelayDenoiser(options.blurSchedule(), SIDE, means, deviations);
    }
  }

  @ParameterizedTest
  @EnumSource
  void relay2mIsOfSecondOrder(Data data) {
    Solver solver = RelayMultistepSolver.deterministic(OPTIONS);
    assertThat(order(solver, data.denoiser(OPTIONS))).isCloseTo(2, within(0.2));
  }

  @ParameterizedTest
  @EnumSource
  void relay2mIsOfSecondOrderWithoutBlur(Data data) {
    Solver solver = RelayMultistepSolver.deterministic(NO_BLUR);
    assertThat(order(solver, data.denoiser(NO_BLUR))).isCloseTo(2, within(0.2));
  }

  /** Its corrector averages the slope, but not the state that the damping multiplies. */
  @ParameterizedTest
  @EnumSource
  void theReferencesRelayIsOfFirstOrderWhereTheDampingVaries(Data data) {
    assertThat(order(new RelaySolver(OPTIONS), data.denoiser(OPTIONS))).isCloseTo(1, within(0.2));
  }

  @ParameterizedTest
  @EnumSource
  void theReferencesRelayIsOfSecondOrderWithoutBlur(Data data) {
    assertThat(order(new RelaySolver(NO_BLUR), data.denoiser(NO_BLUR))).isCloseTo(2, within(0.2));
  }

  /** In which the exact solution itself is checked. */
  @Test
  void theSolutionForAGaussianScalesTheDistanceFromItsMean() {
    IdealRelayDenoiser denoiser = Data.GAUSSIAN.denoiser(OPTIONS);
    double[] start = start(denoiser);
    double[] end = exact(denoiser, start);
    double[] alpha = OPTIONS.blurSchedule().alphas(START, SIDE);
    double[] alphaAtEnd = OPTIONS.blurSchedule().alphas(END, SIDE);
    for (int f = 0; f < FREQUENCIES; f++) {
      double before = Math.hypot(alpha[f] * denoiser.deviations()[f], START);
      double after = Math.hypot(alphaAtEnd[f] * denoiser.deviations()[f], END);
      double mean = denoiser.means()[0][f];
      assertThat(end[f])
          .isCloseTo(
              alphaAtEnd[f] * mean + after / before * (start[f] - alpha[f] * mean), within(1e-9));
    }
  }

  /** The observed order: by how many powers of 2 the error falls if the steps are doubled. */
  private static double order(Solver solver, IdealRelayDenoiser denoiser) {
    double[] start = start(denoiser);
    double[] exact = exact(denoiser, start);
    double few = distance(solve(solver, denoiser, start, STEPS), exact);
    double many = distance(solve(solver, denoiser, start, 2 * STEPS), exact);
    return Math.log(few / many) / Math.log(2);
  }

  private static double[] start(IdealRelayDenoiser denoiser) {
    Random random = new Random(8);
    double[] alpha = denoiser.schedule().alphas(START, SIDE);
    double[] z = new double[FREQUENCIES];
    for (int f = 0; f < FREQUENCIES; f++) {
      double x0 = denoiser.means()[0][f] + denoiser.deviations()[f] * random.nextGaussian();
      z[f] = alpha[f] * x0 + START * random.nextGaussian();
    }
    return z;
  }

  /** Steps from START to END, and returns the cosine transform of the state there. */
  private static double[] solve(
      Solver solver, IdealRelayDenoiser denoiser, double[] start, int steps) {
    double[] levels =
        Arrays.copyOf(new KarrasSchedule(END, START, 7, steps + 1).steps(), steps + 2);
    try (TensorScope _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(0)) {
      Tensor x = Dct.idct2d(Torch.tensor(start, 1, 1, SIDE, SIDE), SIDE);
      try (Stepper stepper = solver.begin(new Batch(denoiser, x, NoiseLevels.of(levels), noise))) {
        for (int i = 0; i < steps; i++) {
          x = stepper.step(i, x);
        }
      }
      return Dct.dct2d(x, SIDE).toDoubles();
    }
  }

  /**
   * Solves {@code d(z / t) = D(z; t) d(alpha / t)} by the classical Runge-Kutta method in ln t, in
   * many steps.
   */
  private static double[] exact(IdealRelayDenoiser denoiser, double[] start) {
    int steps = 4000;
    double h = Math.log(END / START) / steps;
    double[] y = Arrays.stream(start).map(z -> z / START).toArray();
    for (int i = 0; i < steps; i++) {
      double at = Math.log(START) + i * h;
      double[] k1 = slope(denoiser, y, at);
      double[] k2 = slope(denoiser, plus(y, h / 2, k1), at + h / 2);
      double[] k3 = slope(denoiser, plus(y, h / 2, k2), at + h / 2);
      double[] k4 = slope(denoiser, plus(y, h, k3), at + h);
      for (int f = 0; f < FREQUENCIES; f++) {
        y[f] += h / 6 * (k1[f] + 2 * k2[f] + 2 * k3[f] + k4[f]);
      }
    }
    return Arrays.stream(y).map(v -> v * END).toArray();
  }

  private static double[] slope(IdealRelayDenoiser denoiser, double[] y, double lnT) {
    double t = Math.exp(lnT);
    double[] predicted = denoiser.predict(Arrays.stream(y).map(v -> v * t).toArray(), t);
    // The derivative of alpha / t by differences of fourth order.
    double d = 1e-3;
    double[][] ratios = new double[4][];
    int[] places = {-2, -1, 1, 2};
    for (int k = 0; k < places.length; k++) {
      double there = Math.exp(lnT + places[k] * d);
      ratios[k] =
          Arrays.stream(denoiser.schedule().alphas(there, SIDE)).map(a -> a / there).toArray();
    }
    double[] slope = new double[FREQUENCIES];
    for (int f = 0; f < FREQUENCIES; f++) {
      double derivative =
          (ratios[0][f] - 8 * ratios[1][f] + 8 * ratios[2][f] - ratios[3][f]) / (12 * d);
      slope[f] = predicted[f] * derivative;
    }
    return slope;
  }

  private static double[] plus(double[] y, double factor, double[] slope) {
    return IntStream.range(0, y.length).mapToDouble(f -> y[f] + factor * slope[f]).toArray();
  }

  private static double distance(double[] a, double[] b) {
    return Math.sqrt(
        IntStream.range(0, a.length).mapToDouble(f -> (a[f] - b[f]) * (a[f] - b[f])).sum());
  }
}
