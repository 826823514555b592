// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.process.WorkerCommand;
import picocli.CommandLine;

class ArgumentNamesTest {
  private static final CommandLine ROOT =
      RootCommand.commandLine(
          new Console(
              new PrintWriter(new StringWriter()),
              new PrintWriter(new StringWriter()),
              false,
              Map.of()),
          new StopSignal(),
          WorkerCommand.likeThisProcess(Rdm.class));

  private static List<String> normalised(String... arguments) {
    return ArgumentNames.normalise(List.of(arguments), ROOT);
  }

  @Test
  void hyphensAndUnderscoresAreAlikeInNames() {
    assertThat(normalised("generate-celebahq", "--network-first=a_b-c", "--S-churn-first", "4"))
        .containsExactly("generate_celebahq", "--network_first=a_b-c", "--S_churn_first", "4");
  }

  @Test
  void valuesStayAsTheyAre() {
    assertThat(normalised("generate", "--outdir", "my-out", "--seeds=0-3", "--grid", "generate"))
        .containsExactly("generate", "--outdir", "my-out", "--seeds=0-3", "--grid", "generate");
  }

  @Test
  void unknownNamesStayAsTyped() {
    assertThat(normalised("generate", "--no-such-option")).contains("--no-such-option");
    assertThat(normalised("no-such-command")).containsExactly("no-such-command");
  }

  @Test
  void nothingIsTouchedAfterTwoHyphens() {
    assertThat(normalised("inspect", "--", "--sampler-stages"))
        .containsExactly("inspect", "--", "--sampler-stages");
  }

  @Test
  void helpTakesCommandsInBothSpellings() {
    assertThat(normalised("help", "generate-imagenet"))
        .containsExactly("help", "generate_imagenet");
  }

  @Test
  void commandsBelowACommandHaveTheirOwnOptions() {
    assertThat(normalised("evaluate", "activations", "--max_images=5", "--dest", "max_images"))
        .containsExactly("evaluate", "activations", "--max-images=5", "--dest", "max_images");
    assertThat(normalised("evaluate", "--max_images=5")).contains("--max_images=5");
    assertThat(normalised("evaluate", "help", "activations", "--max_images"))
        .containsExactly("evaluate", "help", "activations", "--max-images");
  }

  @Test
  void namesOfTheReferencesRelativesAreUnderstood() {
    assertThat(normalised("generate", "--steps-first=3", "--max-batch-size", "2", "--class_idx=1"))
        .containsExactly("generate", "--num_steps_first=3", "--batch", "2", "--class=1");
  }

  @Test
  void aTruthMayFollowAnOptionThatMayAlsoStandAlone() {
    assertThat(normalised("train", "--fp16", "1", "--eff_attn", "no", "--bf16", "--cond", "1"))
        .containsExactly("train", "--fp16=1", "--eff-attn=no", "--bf16", "--cond", "1");
    assertThat(normalised("train", "--fp16", "--data", "1")).contains("--fp16", "--data", "1");
  }

  @Test
  void theToolForDataSetsHasItsOfficialNameToo() {
    assertThat(normalised("dataset-tool", "--max_images=3"))
        .containsExactly("dataset_tool", "--max-images=3");
  }

  @Test
  void capitalsTellOptionsApart() {
    assertThat(normalised("generate_celebahq", "--S-noise-second=1", "--s-noise-second=2"))
        .containsExactly("generate_celebahq", "--S_noise_second=1", "--s_noise_second=2");
  }
}
