// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CompletionCommandTest {
  @Test
  void bashCompletesCommandsAndOptions() {
    RdmRun run = RdmRun.of("completion", "bash");

    assertThat(run.code()).isZero();
    assertThat(run.out())
        .startsWith("#!/usr/bin/env bash")
        .contains("generate_celebahq", "'--sde_scale_first'")
        .contains("'--pipeline'", "'--preset'")
        .contains("\"both\" \"first\" \"second\"", "complete -F _complete_rdm");
  }

  @Test
  void commandsBelowACommandAreCompletedToo() {
    assertThat(RdmRun.of("completion", "bash").out())
        .contains("_picocli_rdm_evaluate_activations()", "'--max-images'", "'--moments'")
        .containsPattern("local commands=\"activations[^\"]*help\"");
  }

  @Test
  void filesAreCompletedAlsoWhereAnAddressIsTaken() {
    assertThat(RdmRun.of("completion", "bash").out())
        .containsPattern("'--network_first'\\)\\s+local IFS=[^\\n]+\\s[^)]*compgen -f")
        .containsPattern("'--transfer'\\)\\s+local IFS=[^\\n]+\\s[^)]*compgen -f");
  }

  @Test
  void zshHasTheSameScriptWhichLoadsWhatItNeedsThere() {
    assertThat(RdmRun.of("completion", "zsh").out())
        .isEqualTo(RdmRun.of("completion", "bash").out())
        .contains("autoload -U +X bashcompinit && bashcompinit");
  }

  @Test
  void otherShellsAreRefused() {
    RdmRun run = RdmRun.of("completion", "tcsh");

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).startsWith("rdm: Invalid value for").contains("tcsh");
  }
}
