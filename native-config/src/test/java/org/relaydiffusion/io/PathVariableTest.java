// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;

class PathVariableTest {
  private static final Map<String, String> ENVIRONMENT =
      Map.of("SET", "a/b", "EMPTY", "", "WRONG", "a\u0000b");

  @Test
  void aVariableMayNameAFile() {
    assertThat(PathVariable.of(ENVIRONMENT, "SET")).contains(Path.of("a", "b"));
    assertThat(PathVariable.of(ENVIRONMENT, "EMPTY")).isEmpty();
    assertThat(PathVariable.of(ENVIRONMENT, "OTHER")).isEmpty();
  }

  @Test
  void oneThatNamesNoneIsRefusedByItsName() {
    assertThatThrownBy(() -> PathVariable.of(ENVIRONMENT, "WRONG"))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "WRONG=a\\u{0}b is not a valid file name in this locale: Nul character not"
                + " allowed");
  }
}
