// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExponentialWeightsTest {
  private static final double[][] NODES = {
    {0}, {0, -0.3}, {0.7, 0}, {0, -0.3, -1.1}, {0.7, 0, -0.4}, {0, -0.2, -0.9, -1}
  };

  /** Integrates exp(tau - h) f(tau) from 0 to h by Gauss and Legendre's rule on many intervals. */
  private static double integral(double h, DoubleUnaryOperator f) {
    double[] places = {-Math.sqrt(0.6), 0, Math.sqrt(0.6)};
    double[] weights = {5 / 9.0, 8 / 9.0, 5 / 9.0};
    int n = 400;
    double sum = 0;
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < 3; k++) {
        double tau = h * (i + 0.5 + places[k] / 2) / n;
        sum += weights[k] / 2 * Math.exp(tau - h) * f.applyAsDouble(tau) * h / n;
      }
    }
    return sum;
  }

  private static double power(double x, int k) {
    double product = 1;
    for (int i = 0; i < k; i++) {
      product *= x;
    }
    return product;
  }

  @Test
  void phiIsTheSameOnBothSidesOfTheSeries() {
    for (int k = 1; k <= 4; k++) {
      double within = ExponentialWeights.phi(k, Math.nextUp(-1.0));
      double beyond = ExponentialWeights.phi(k, -1);
      assertThat(within).isCloseTo(beyond, within(1e-14));
    }
  }

  /** At 0 they are 1 / k!; phi_1(z) = (exp(z) - 1) / z. */
  @Test
  void phiHasItsKnownValues() {
    assertThat(ExponentialWeights.phi(1, 0)).isEqualTo(1);
    assertThat(ExponentialWeights.phi(2, 0)).isEqualTo(0.5);
    assertThat(ExponentialWeights.phi(3, 0)).isCloseTo(1 / 6.0, within(1e-16));
    for (double z : new double[] {-1e-9, -0.1, -0.9, -3, -40}) {
      double first = StrictMath.expm1(z) / z;
      assertThat(ExponentialWeights.phi(1, z)).isCloseTo(first, within(1e-15));
      assertThat(ExponentialWeights.phi(2, z))
          .isCloseTo(integral(1, s -> Math.exp((1 - s) * (z + 1)) * s), within(1e-13));
    }
  }

  /** The weights are exact for every polynomial that the predictions determine. */
  @ParameterizedTest
  @ValueSource(doubles = {1e-6, 0.01, 0.7, 0.999, 1, 3, 12})
  void polynomialsAreIntegratedExactly(double h) {
    for (double[] nodes : NODES) {
      double[] weights = ExponentialWeights.interpolating(h, nodes);
      for (int degree = 0; degree < nodes.length; degree++) {
        int k = degree;
        double found = 0;
        for (int j = 0; j < nodes.length; j++) {
          found += weights[j] * power(nodes[j], k);
        }
        double expected = integral(h, tau -> power(tau, k));
        double size = Arrays.stream(weights).map(Math::abs).sum();
        assertThat(found)
            .as("degree %s through %s", k, Arrays.toString(nodes))
            .isCloseTo(expected, within(1e-13 * size + 1e-12 * expected));
      }
    }
  }

  @Test
  void aStepOfLengthZeroKeepsTheState() {
    for (LinearUpdate u :
        new LinearUpdate[] {
          DpmPlusPlus2mSolver.update(0, 0.3),
          DpmPlusPlus3mSolver.update(0, 0.3, 0.2),
          SdeDpmPlusPlus2mSolver.update(0, 0.3)
        }) {
      assertThat(u.kept()).isEqualTo(1);
      assertThat(Arrays.stream(u.weights()).map(Math::abs).sum()).isZero();
    }
    assertThat(SdeDpmPlusPlus2mSolver.deviation(0.4, 0.4)).isZero();
  }

  /** What is constant stays so: the weights and the factor of the state have the sum 1. */
  @Test
  void aConstantImageIsAFixedPoint() {
    for (double h : new double[] {1e-4, 0.5, 2.5}) {
      for (LinearUpdate u :
          new LinearUpdate[] {
            DpmPlusPlus2mSolver.update(h),
            DpmPlusPlus2mSolver.update(h, 0.4),
            DpmPlusPlus3mSolver.update(h),
            DpmPlusPlus3mSolver.update(h, 0.4),
            DpmPlusPlus3mSolver.update(h, 0.4, 0.7),
            SdeDpmPlusPlus2mSolver.update(h),
            SdeDpmPlusPlus2mSolver.update(h, 0.4),
            UniPcSolver.corrector(h),
            UniPcSolver.corrector(h, 0.4)
          }) {
        assertThat(u.kept() + Arrays.stream(u.weights()).sum()).isCloseTo(1, within(1e-13));
      }
    }
  }

  /** With the limit of short steps, the weights are those of Adams and Bashforth's methods. */
  @Test
  void shortStepsAreThoseOfAdamsAndBashforth() {
    double h = 1e-5;
    double[] third = DpmPlusPlus3mSolver.update(h, h, h).weights();
    assertThat(third[0] / h).isCloseTo(23 / 12.0, within(1e-4));
    assertThat(third[1] / h).isCloseTo(-16 / 12.0, within(1e-4));
    assertThat(third[2] / h).isCloseTo(5 / 12.0, within(1e-4));
    double[] corrector = UniPcSolver.corrector(h, h).weights();
    assertThat(corrector[0] / h).isCloseTo(5 / 12.0, within(1e-4));
    assertThat(corrector[1] / h).isCloseTo(8 / 12.0, within(1e-4));
    assertThat(corrector[2] / h).isCloseTo(-1 / 12.0, within(1e-4));
  }
}
