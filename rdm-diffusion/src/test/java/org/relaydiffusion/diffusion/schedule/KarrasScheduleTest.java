// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.fixture.Fixture;
import tools.jackson.databind.JsonNode;

class KarrasScheduleTest {
  @Test
  void agreesWithTheReferenceToTheLastBitOfAFloat64() {
    // samplers/schedules. One unit in the last place: ours are rounded correctly, LibTorch's
    // vectorised pow is off by one in 12 of these 647 steps.
    int different = 0;
    for (JsonNode c : Fixture.of("samplers/schedules").json("schedules.json")) {
      KarrasSchedule schedule =
          new KarrasSchedule(
              c.path("sigma_min").doubleValue(),
              c.path("sigma_max").doubleValue(),
              c.path("rho").doubleValue(),
              c.path("num_steps").intValue());
      double[] expected = Fixture.doubles(c.path("t_steps"));
      double[] actual = schedule.steps();
      assertThat(actual).hasSameSizeAs(expected);
      for (int i = 0; i < expected.length; i++) {
        long apart = Double.doubleToLongBits(actual[i]) - Double.doubleToLongBits(expected[i]);
        assertThat(Math.abs(apart)).as("step %s of %s", i, schedule).isLessThanOrEqualTo(1);
        different += apart == 0 ? 0 : 1;
      }
    }
    assertThat(different).isLessThanOrEqualTo(12);
  }

  @ParameterizedTest
  @CsvSource({
    "0.002, 80, 7, 1, num_steps must be at least 2",
    "0.002, 80, 0, 18, rho must be",
    "0.002, 80, NaN, 18, rho must be",
    "-1, 80, 7, 18, sigma_min must be",
    "NaN, 80, 7, 18, sigma_min must be",
    "80, 80, 7, 18, sigma_max must be",
    "0.002, Infinity, 7, 18, sigma_max must be",
    "0.002, 80, 0.001, 18, rho = 0.001 is too small"
  })
  void nonsenseIsRefusedByName(double min, double max, double rho, int steps, String message) {
    assertThatThrownBy(() -> new KarrasSchedule(min, max, rho, steps))
        .isInstanceOf(OptionException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void aLowestLevelOfZeroIsReached() {
    double[] steps = new KarrasSchedule(0, 80, 7, 5).steps();
    assertThat(steps[4]).isZero();
    assertThat(steps).isSortedAccordingTo((a, b) -> Double.compare(b, a));
  }
}
