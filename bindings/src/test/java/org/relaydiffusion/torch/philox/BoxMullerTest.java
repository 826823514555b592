// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.philox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class BoxMullerTest {
  private static final int COUNT = PhiloxWords.MOST;

  @Test
  void radiiAreExactToTheLastPlaces() {
    Random random = new Random(1);
    BoxMuller boxMuller = new BoxMuller();
    double[] u = new double[COUNT];
    double[] radius = new double[COUNT];
    for (int pass = 0; pass < 400; pass++) {
      for (int i = 0; i < COUNT; i++) {
        u[i] =
            switch (i % 3) {
              case 0 -> 1 - random.nextDouble();
              case 1 -> 1 - random.nextInt(1 << 20) * 0x1p-53;
              default -> Math.scalb(1 + random.nextDouble(), -1 - random.nextInt(54));
            };
      }
      u[0] = 1;
      u[1] = 0x1p-54;
      boxMuller.radius(u, radius, COUNT);
      for (int i = 0; i < COUNT; i++) {
        double expected = Math.sqrt(-2 * StrictMath.log(u[i]));
        assertThat(radius[i]).as("of %s", u[i]).isCloseTo(expected, within(5e-16 * expected));
      }
    }
  }

  @Test
  void pairsAreSineAndCosineOfTheAngleTimesTheRadius() {
    Random random = new Random(2);
    double[] u = new double[COUNT];
    double[] t = new double[COUNT];
    double[] radius = new double[COUNT];
    BoxMuller boxMuller = new BoxMuller();
    double[] sines = new double[COUNT];
    double[] cosines = new double[COUNT];
    for (int pass = 0; pass < 200; pass++) {
      for (int i = 0; i < COUNT; i++) {
        u[i] = 1 - random.nextDouble();
        t[i] = i % 9 == 0 ? i / 9 % 5 * 0.5 : 2 * random.nextDouble();
      }
      boxMuller.radius(u, radius, COUNT);
      BoxMuller.sines(t, 0, radius, sines, COUNT);
      BoxMuller.cosines(t, radius, cosines, COUNT);
      for (int i = 0; i < COUNT; i++) {
        double r = Math.sqrt(-2 * StrictMath.log(u[i]));
        // Math.PI t is itself off by 4e-16.
        assertThat(sines[i])
            .as("sin %s pi", t[i])
            .isCloseTo(r * StrictMath.sin(Math.PI * t[i]), within(4e-15));
        assertThat(cosines[i])
            .as("cos %s pi", t[i])
            .isCloseTo(r * StrictMath.cos(Math.PI * t[i]), within(4e-15));
      }
    }
  }
}
