// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.Arrays;

/** Straight lines through measured errors. */
final class Fits {
  private Fits() {}

  /** Returns the slope of the least-squares line. */
  static double slope(double[] x, double[] y) {
    double middleX = Arrays.stream(x).average().orElseThrow();
    double middleY = Arrays.stream(y).average().orElseThrow();
    double product = 0;
    double square = 0;
    for (int i = 0; i < x.length; i++) {
      product += (x[i] - middleX) * (y[i] - middleY);
      square += (x[i] - middleX) * (x[i] - middleX);
    }
    return product / square;
  }
}
