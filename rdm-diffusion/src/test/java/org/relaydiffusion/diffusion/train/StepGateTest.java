// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What processes tell one another has a fixed length. */
class StepGateTest {
  private static String told(String text) {
    return new String(StepGate.encoded(text), StandardCharsets.UTF_8).replace("\0", "");
  }

  @Test
  void aReasonIsCutBetweenCharacters() {
    assertThat(told("")).isEmpty();
    assertThat(told("photo.png: is damaged")).isEqualTo("photo.png: is damaged");
    // 2048 bytes hold 682 of three bytes each, with two left over.
    assertThat(told("\u5199".repeat(1000))).isEqualTo("\u5199".repeat(682));
    // Half of a surrogate pair, which a file's name may hold, is no character.
    assertThat(told("a\ud800b")).isEqualTo("a?b");
  }
}
