// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Why a call failed is told in LibTorch's own words, on every build, and nothing else is. */
class ErrorTextTest {
  private static final String REASON = "Could not find schema for aten::there_is_no_such_operator.";

  @TempDir Path folder;

  @Test
  void theReasonIsToldOnceAndTheErrorStreamLeftAlone() throws Exception {
    ChildJvm.Outcome outcome = failingCall(Map.of(), "DEFAULT");
    assertThat(outcome.out().lines()).containsExactly("code 1", REASON, "null");
    assertThat(outcome.err()).isEmpty();
  }

  @Test
  void theUsersLogLevelStandsBesideIt() throws Exception {
    ChildJvm.Outcome outcome = failingCall(Map.of("TORCH_CPP_LOG_LEVEL", "ERROR"), "DEFAULT");
    assertThat(outcome.out().lines()).contains("code 1", REASON);
    assertThat(outcome.err()).contains("there_is_no_such_operator");
  }

  @Test
  void libTorchPrintsItselfWhereNothingMayBeChanged() throws Exception {
    ChildJvm.Outcome outcome = failingCall(Map.of(), "NONE");
    assertThat(outcome.out()).startsWith("code 1");
    assertThat(outcome.err()).contains(REASON);
  }

  @Test
  void eachThreadGetsTheReasonOfItsOwnCall() throws Exception {
    ChildJvm.Outcome outcome = failingCall(Map.of(), "DEFAULT", "threads");
    assertThat(outcome.out().strip()).isEqualTo("wrong: {}");
    assertThat(outcome.err()).isEmpty();
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void whatOthersWriteToTheErrorStreamOfCppIsPassedOn() throws Exception {
    ChildJvm.Outcome outcome = ChildJvm.run(folder, CppStreamMain.class, List.of(), Map.of());
    assertThat(outcome.out().strip()).as("%s", outcome).isEqualTo("done");
    assertThat(outcome.err())
        .isEqualTo(
            """
            another library's text +
            [Error] of its own
            [W1128 20:37:54.805498027 file.cpp:507] a warning
            """);
  }

  @Test
  void aProcessThatHaltsEndsWithItsCode() throws Exception {
    ChildJvm.Outcome outcome = ChildJvm.run(folder, HaltMain.class, List.of(), Map.of(), "9");
    assertThat(outcome.code()).as("%s", outcome).isEqualTo(9);
    assertThat(outcome.err()).isEmpty();
    assertThat(folder).isDirectoryNotContaining("glob:**hs_err*");
  }

  @Test
  void theReasonIsTheFirstLineBeforeTheStackTrace() {
    assertThat(ErrorText.reason("shapes differ\nException raised from f at x:1 (most recent)"))
        .contains("shapes differ");
    assertThat(ErrorText.reason("\n  \n first line \nsecond")).contains("first line");
    assertThat(ErrorText.reason("\nException raised from f")).isEmpty();
    assertThat(ErrorText.reason("")).isEmpty();
  }

  private ChildJvm.Outcome failingCall(Map<String, String> environment, String... arguments)
      throws Exception {
    ChildJvm.Outcome outcome =
        ChildJvm.run(folder, FailingCallMain.class, List.of(), environment, arguments);
    assertThat(outcome.code()).as("%s", outcome).isZero();
    return outcome;
  }
}
