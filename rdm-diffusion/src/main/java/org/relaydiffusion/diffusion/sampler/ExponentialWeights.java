// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

/**
 * Weights of exponential integrators of the probability flow in data prediction, in plain
 * arithmetic. With the half log-SNR lambda = -ln t, the flow from lambda to lambda + h is
 *
 * <pre>
 * x(lambda + h) = exp(-h) x(lambda) + integral from 0 to h of exp(tau - h) D(lambda + tau) d tau
 * </pre>
 *
 * <p>(Lu et al., arXiv 2211.01095, proposition 4.1, with alpha = 1 and sigma = t): the linear part
 * is exact, and D is replaced by a polynomial in tau through known predictions.
 */
final class ExponentialWeights {
  /** So many terms of a series at an argument of at most 1 are exact to the last bit. */
  private static final int TERMS = 20;

  private ExponentialWeights() {}

  /**
   * Returns the function {@code phi_k(z) = integral from 0 to 1 of exp((1 - s) z) s^(k - 1) / (k -
   * 1)! ds}, which continues {@code phi_1(z) = (exp(z) - 1) / z}.
   *
   * @param k from 1
   * @param z at most 0
   */
  static double phi(int k, double z) {
    return Math.abs(z) < 1 ? series(k, z) : recurrence(k, z);
  }

  /** Computes the sum of {@code z^m / (m + k)!}. */
  private static double series(int k, double z) {
    double term = 1;
    for (int i = 2; i <= k; i++) {
      term /= i;
    }
    double sum = 0;
    for (int m = 0; m < TERMS; m++) {
      sum += term;
      term *= z / (m + k + 1);
    }
    return sum;
  }

  /** Computes {@code phi_(j+1)(z) = (phi_j(z) - 1 / j!) / z}, which loses digits near 0. */
  private static double recurrence(int k, double z) {
    double value = StrictMath.expm1(z) / z;
    double factorial = 1;
    for (int j = 1; j < k; j++) {
      factorial *= j;
      value = (value - 1 / factorial) / z;
    }
    return value;
  }

  /**
   * Returns the weight of each prediction where D is replaced by the polynomial through all of
   * them: n predictions give a local error of order n + 1.
   *
   * @param h the length of the step in lambda, at least 0
   * @param nodes the places of the predictions in lambda, all different; 0 is the start of the
   *     step, earlier predictions are below 0
   */
  static double[] interpolating(double h, double... nodes) {
    int n = nodes.length;
    double[] moments = new double[n];
    double scale = h;
    for (int k = 0; k < n; k++) {
      moments[k] = scale * phi(k + 1, -h);
      scale *= h * (k + 1);
    }
    double[] weights = new double[n];
    for (int j = 0; j < n; j++) {
      double[] basis = lagrange(nodes, j);
      for (int k = 0; k < n; k++) {
        weights[j] += basis[k] * moments[k];
      }
    }
    return weights;
  }

  /** Returns the coefficients, from the constant up, of the polynomial that is 1 at node j only. */
  private static double[] lagrange(double[] nodes, int j) {
    double[] product = new double[nodes.length];
    product[0] = 1;
    int degree = 0;
    for (int m = 0; m < nodes.length; m++) {
      if (m != j) {
        double span = nodes[j] - nodes[m];
        degree++;
        for (int k = degree; k >= 0; k--) {
          double below = k == 0 ? 0 : product[k - 1];
          product[k] = (below - nodes[m] * product[k]) / span;
        }
      }
    }
    return product;
  }

  /**
   * Returns the weights of two predictions where D is constant over the step, namely its linear
   * extrapolation or interpolation at the middle of the step: {@code gain (D_1 + h / (2 before)
   * (D_1 - D_2))}.
   *
   * @param gain the integral of the kernel over the step: {@code 1 - exp(-h)}
   * @param h the length of the step in lambda
   * @param before how far the second prediction lies before the first in lambda; not 0
   */
  static double[] midpoint(double gain, double h, double before) {
    double slope = h / (2 * before);
    return new double[] {gain * (1 + slope), -gain * slope};
  }

  /** Returns {@code 1 - exp(-h)}. */
  static double gain(double h) {
    return -StrictMath.expm1(-h);
  }
}
