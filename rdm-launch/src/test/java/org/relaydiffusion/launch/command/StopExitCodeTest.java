// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;

class StopExitCodeTest {
  @Test
  void aStoppedRunIsASuccessUnlessSomebodyWantsToHearOfIt() {
    assertThat(StopExitCode.of(Map.of())).isZero();
    assertThat(StopExitCode.of(Map.of(StopExitCode.VARIABLE, "85"))).isEqualTo(85);
  }

  @ParameterizedTest
  @ValueSource(strings = {"256", "-1", "yes"})
  void whatIsNoExitCodeIsNamed(String text) {
    assertThatThrownBy(() -> StopExitCode.of(Map.of(StopExitCode.VARIABLE, text)))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "the environment variable RDM_STOP_EXIT_CODE must be an exit code from 0 to 255, but is"
                + " '%s'",
            text);
  }
}
