// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.process.OutputPlan.Results;

class OutputPlanTest {
  private static final Optional<Path> LOGS = Optional.of(Path.of("logs"));

  @Test
  void withoutAFolderAllIsShown() {
    assertThat(OutputPlan.CONSOLE.isShown(0, StreamChoice.OUT)).isTrue();
    assertThat(OutputPlan.CONSOLE.hasFile(0)).isFalse();
  }

  @Test
  void aFolderAloneTakesAll() {
    OutputPlan plan =
        new OutputPlan(LOGS, StreamChoice.NONE, StreamChoice.NONE, Results.OF_ALL_RANKS);

    assertThat(plan.isFiled(3, StreamChoice.ERR)).isTrue();
    assertThat(plan.isShown(3, StreamChoice.ERR)).isFalse();
  }

  @Test
  void teeFilesAndShows() {
    OutputPlan plan =
        new OutputPlan(
            LOGS, StreamChoice.parse("--tee", "0:3,1:2"), StreamChoice.NONE, Results.OF_ALL_RANKS);

    assertThat(plan.isFiled(0, StreamChoice.OUT)).isTrue();
    assertThat(plan.isShown(0, StreamChoice.OUT)).isTrue();
    assertThat(plan.isFiled(1, StreamChoice.OUT)).isFalse();
    assertThat(plan.isFiled(1, StreamChoice.ERR)).isTrue();
    assertThat(plan.hasFile(2)).isFalse();
    assertThat(plan.isShown(2, StreamChoice.OUT)).isTrue();
  }

  @Test
  void redirectsFileOnly() {
    OutputPlan plan =
        new OutputPlan(
            LOGS, StreamChoice.NONE, StreamChoice.parse("--redirects", "1"), Results.OF_ALL_RANKS);

    assertThat(plan.isShown(0, StreamChoice.OUT)).isFalse();
    assertThat(plan.isShown(0, StreamChoice.ERR)).isTrue();
  }

  @Test
  void filesNeedAFolder() {
    assertThatThrownBy(() ->
            new OutputPlan(
                Optional.empty(), StreamChoice.BOTH, StreamChoice.NONE, Results.OF_ALL_RANKS))
        .isInstanceOf(OptionException.class)
        .hasMessage("--tee requires --log_dir");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "4", "both", "0:3,", "0:4", "-1:3", "0"})
  void onlyTorchrunsNotationIsRead(String text) {
    if (text.equals("0")) {
      assertThat(StreamChoice.parse("--tee", text).isNone()).isTrue();
    } else {
      assertThatThrownBy(() -> StreamChoice.parse("--tee", text))
          .isInstanceOf(OptionException.class)
          .hasMessageStartingWith("--tee must be 0")
          .hasMessageEndingWith("'" + text + "'");
    }
  }
}
