// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.OptionException;

class IntListTest {
  @Test
  void numbersAndRangesAreReadInTheirOrder() {
    assertThat(IntList.parse("1,2-4").values()).containsExactly(1, 2, 3, 4);
    assertThat(IntList.parse(" 4, 1-1 ,4").values()).containsExactly(4, 1, 4);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'1,,2' | expected numbers and ranges such as 1,2-4, but found '' in '1,,2'",
        "1.5 | but found '1.5'",
        "4-2 | 4-2: the start of a range must not exceed its end",
        "0-999999999 | has more than 1000 numbers",
        "99999999999 | but found '99999999999'"
      })
  void whatIsNoListIsRefused(String text, String message) {
    assertThatThrownBy(() -> IntList.parse(text))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining(message);
  }
}
