// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.philox;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PhiloxWordsTest {
  /** The known answers of Random123, the generator's own library, for Philox4x32-10. */
  @ParameterizedTest
  @CsvSource({
    "0, 0, 0, 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    "ffffffffffffffff, ffffffffffffffff, ffffffffffffffff, 408f276d 41c83b0e a20bc7c6 6d5451fd",
    "85a308d3243f6a88, 0370734413198a2e, 299f31d0a4093822, d16cfe09 94fdcceb 5001e420 24126ea1"
  })
  void givesTheKnownAnswers(String call, String thread, String key, String expected) {
    PhiloxWords words = new PhiloxWords();
    words.compute(
        Long.parseUnsignedLong(key, 16),
        Long.parseUnsignedLong(call, 16),
        Long.parseUnsignedLong(thread, 16),
        1);
    StringBuilder found = new StringBuilder();
    for (int k = 0; k < 4; k++) {
      found.append(k > 0 ? " " : "").append(Long.toHexString(words.word(k)[0]));
    }
    assertThat(found).hasToString(expected);
  }

  @Test
  void threadsComputedTogetherAreThoseComputedAlone() {
    PhiloxWords together = new PhiloxWords();
    PhiloxWords alone = new PhiloxWords();
    long first = 0xffff_ff00L;
    // Often enough for the compiler to have its say.
    for (int pass = 0; pass < 200; pass++) {
      together.compute(-7, 11L << 32 | pass, first, PhiloxWords.MOST);
    }
    for (int i = 0; i < PhiloxWords.MOST; i++) {
      alone.compute(-7, 11L << 32 | 199, first + i, 1);
      for (int k = 0; k < 4; k++) {
        assertThat(together.word(k)[i])
            .as("word %s of thread %s", k, i)
            .isEqualTo(alone.word(k)[0])
            .isBetween(0L, 0xffff_ffffL);
      }
    }
  }
}
