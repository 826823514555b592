// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.progress;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DurationsTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0.0s",
    "9.94, 9.9s",
    "9.96, 10s",
    "59.4, 59s",
    "59.6, 1m00s",
    "98, 1m38s",
    "3599, 59m59s",
    "7500, 2h05m",
    "273600, 3d04h"
  })
  void timesAreShort(double seconds, String text) {
    assertThat(Durations.text(seconds)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"1234, 1234", "12.34, 12.3", "1.234, 1.23", "0.1234, 0.123", "0.01234, 0.0123"})
  void ratesHaveThreeDigits(double rate, String text) {
    assertThat(Durations.rate(rate)).isEqualTo(text);
  }
}
