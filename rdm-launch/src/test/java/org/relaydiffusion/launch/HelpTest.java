// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.process.WorkerCommand;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

class HelpTest {
  /** What one must give has no default. */
  private static final Set<String> REQUIRED =
      Set.of(
          "--outdir",
          "--data",
          "--network_first",
          "--network_second",
          "--source",
          "--dest",
          "--activations_sample");

  private static CommandLine root() {
    PrintWriter nowhere = new PrintWriter(new StringWriter());
    return RootCommand.commandLine(
        new Console(nowhere, nowhere, false, Map.of()),
        new StopSignal(),
        WorkerCommand.likeThisProcess(Rdm.class));
  }

  private static Stream<OptionSpec> options(String command) {
    CommandLine line = root();
    for (String name : command.split(" ", -1)) {
      line = Objects.requireNonNull(line.getSubcommands().get(name));
    }
    return line.getCommandSpec().options().stream()
        .filter(option -> !option.usageHelp() && !option.versionHelp());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "generate",
        "generate_celebahq",
        "generate_imagenet",
        "train",
        "pack",
        "convert",
        "inspect",
        "dataset",
        "evaluate activations",
        "evaluate calc",
        "evaluate report",
        "doctor",
        "demo",
        "launch",
        "pack",
        "tune-steps"
      })
  void everyOptionSaysWhatItIsAndItsDefault(String command) {
    assertThat(options(command))
        .isNotEmpty()
        .allSatisfy(option -> {
          String text = String.join(" ", option.description());
          assertThat(text).as(option.longestName()).hasSizeGreaterThan(20);
          if (!REQUIRED.contains(option.longestName()) || command.equals("demo")) {
            assertThat(text).as(option.longestName()).contains("Default: ");
          }
        });
    RdmRun help = help(command);
    assertThat(help.code()).isZero();
    assertThat(help.out()).contains("Usage: rdm " + command).doesNotContain("DEFAULT-VALUE");
    assertThat(help.err()).isEmpty();
  }

  @Test
  void helpShowsThePresetsNumbers() {
    assertThat(unwrapped("generate_celebahq"))
        .contains("Default: 80000-109999.")
        .containsPattern("--num_steps_first=N\\s+Number of noise levels, at least 2. Default: 120")
        .containsPattern("--sde_scale_first=X[^-]* Default: 0.05")
        .containsPattern("--truncation_t_second=X[^-]* Default: 1.05")
        .containsPattern("--S_churn_second=X[^-]* Default: 0");
    assertThat(unwrapped("generate_imagenet"))
        .containsPattern("--S_churn_first=X[^-]* Default: 40")
        .containsPattern("--rho_second=X[^-]* Default: 100")
        .containsPattern("--S_max_first=X[^-]* Default: 50")
        .doesNotContain("--sde_scale_first");
    assertThat(unwrapped("generate")).containsPattern("--S_max_first=X[^-]* Default: inf");
  }

  /** Lines may end after a dot or a comma, even inside {@code .safetensors}. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "generate",
        "generate_celebahq",
        "generate_imagenet",
        "train",
        "pack",
        "convert",
        "dataset",
        "evaluate activations",
        "evaluate calc",
        "evaluate report",
        "demo",
        "launch",
        "pack",
        "tune-steps"
      })
  void noWordOfTheHelpIsCutInTwo(String command) {
    String help = help(command).out();

    assertThat(
            options(command)
                .filter(o -> !o.hidden())
                .flatMap(o -> String.join(" ", o.description()).lines()))
        .flatMap(text -> List.of(text.split(" ")))
        .filteredOn(word -> !word.contains("$"))
        .allSatisfy(word -> assertThat(help).contains(word));
  }

  @Test
  void optionsStandUnderHeadings() {
    assertThat(RdmRun.of("help", "generate").out().lines())
        .containsSubsequence(
            "Images and output:",
            "First stage (diffusion at low resolution):",
            "Second stage (relay to high resolution):",
            "Running:",
            "Reporting:",
            "Options:");
  }

  @Test
  void aGroupOfCommandsListsThem() {
    RdmRun run = RdmRun.of("evaluate");

    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("Usage: rdm evaluate ", "Commands:", "activations", "help");
    assertThat(RdmRun.of("help", "evaluate").out()).isEqualTo(run.out());
    assertThat(RdmRun.of("evaluate", "help", "activations").out())
        .isEqualTo(RdmRun.of("evaluate", "activations", "--help").out())
        .isEqualTo(RdmRun.of("help", "evaluate", "activations").out());
    assertThat(RdmRun.of("launch", "evaluate", "activations", "--help").out())
        .isEqualTo(RdmRun.of("evaluate", "activations", "--help").out());
  }

  @Test
  void helpOfAnUnknownCommandIsAMistake() {
    RdmRun run = RdmRun.of("help", "evaluate", "nothing");

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).isEqualTo("rdm: unknown command 'rdm evaluate nothing'");
    assertThat(RdmRun.of("help").out()).isEqualTo(RdmRun.of().out());
  }

  @Test
  void withoutACommandTheCommandsAreListed() {
    RdmRun run = RdmRun.of();

    assertThat(run.code()).isZero();
    assertThat(run.out())
        .contains(
            "generate",
            "generate_celebahq",
            "generate_imagenet",
            "pack",
            "convert",
            "inspect",
            "dataset",
            "evaluate",
            "doctor",
            "demo",
            "launch",
            "completion",
            "help");
  }

  @Test
  void theVersionIsThatOfTheBuild() {
    assertThat(RdmRun.of("--version").out()).matches("rdm \\d+\\.\\d+\\.\\S+ \\(Java \\S+\\)\\R");
  }

  private static RdmRun help(String command) {
    return RdmRun.of((command + " --help").split(" "));
  }

  private static String unwrapped(String command) {
    return help(command).out().replaceAll("\\s+", " ");
  }
}
