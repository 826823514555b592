// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.progress;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DisplayWidthTest {
  @ParameterizedTest
  @CsvSource({
    "step 1/2, 8",
    "caf\u00e9, 4",
    "cafe\u0301, 4", // a combining accent takes no column
    "\u732b.png, 6", // an ideograph takes two
    "\uff21\uff22, 4", // full-width letters
    "\ud55c\uae00, 4", // Hangul
    "\ud83d\ude00, 2", // an emoji
    "\ud840\udc00, 2", // an ideograph outside the first plane
    "\u0634\u06a9\u0644, 3",
  })
  void columnsAreThoseOfATerminal(String text, int columns) {
    assertThat(DisplayWidth.of(text)).isEqualTo(columns);
  }

  @Test
  void whatFitsIsNotCut() {
    assertThat(DisplayWidth.cut("12345", 5)).isEqualTo("12345");
    assertThat(DisplayWidth.cut("\u732b\u732b", 4)).isEqualTo("\u732b\u732b");
    assertThat(DisplayWidth.cut("12345", Integer.MAX_VALUE)).isEqualTo("12345");
  }

  @Test
  void noCutIsWiderThanTheTerminal() {
    String text = "a\u732b\ud83d\ude00e\u0301 stage 1".repeat(10);
    for (int columns = 0; columns < DisplayWidth.of(text); columns++) {
      String cut = DisplayWidth.cut(text, columns);
      assertThat(DisplayWidth.of(cut)).isLessThanOrEqualTo(columns);
      assertThat(DisplayWidth.of(cut)).isGreaterThanOrEqualTo(columns - 1);
    }
  }

  @Test
  void aCutIsMarkedWhereThereIsRoom() {
    assertThat(DisplayWidth.cut("stage 1 step 1/2", 13)).isEqualTo("stage 1 st...");
    assertThat(DisplayWidth.cut("stage 1 step 1/2", 5)).isEqualTo("stage");
  }
}
