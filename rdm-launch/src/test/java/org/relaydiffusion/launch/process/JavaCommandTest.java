// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.launch.Rdm;
import org.relaydiffusion.launch.process.WorkerCommand.Display;

class JavaCommandTest {
  @Test
  void theSameJavaWithTheSameFlagsRunsTheCommand() {
    List<String> line =
        WorkerCommand.likeThisProcess(Rdm.class)
            .line(List.of("train", "--outdir=a b"), Display.PLAIN);

    assertThat(line.getFirst())
        .isEqualTo(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // As this test's own JVM has it, see the build.
    assertThat(line).contains("--enable-native-access=ALL-UNNAMED", "-Drdm.trackTensors=true");
    assertThat(line)
        .containsSubsequence(
            "--class-path", System.getProperty("java.class.path"), Rdm.class.getName());
    assertThat(line).endsWith(Rdm.class.getName(), "train", "--outdir=a b");
  }

  @Test
  void theRankIsToldWhetherItsErrorsGoToATerminal() {
    JavaCommand command = new JavaCommand(Path.of("java"), List.of("-Xmx1g"), List.of("Main"));

    assertThat(command.line(List.of("x"), Display.LIVE))
        .containsExactly("java", "-Xmx1g", "-Drdm.terminal=true", "Main", "x");
    assertThat(command.line(List.of(), Display.PLAIN)).contains("-Drdm.terminal=false");
  }
}
