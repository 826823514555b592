// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.Converters;
import org.relaydiffusion.launch.command.StopSignal;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** The options of the stages, as the sampling commands declare them. */
class StageSectionTest {
  private static List<OptionSpec> samplerOptions(Preset preset) {
    PrintWriter nowhere = new PrintWriter(new StringWriter());
    Console console = new Console(nowhere, nowhere, false, Map.of());
    CommandLine command =
        SamplingCommand.commandLines(console, new StopSignal()).stream()
            .filter(line -> line.getCommandName().equals(preset.script()))
            .findFirst()
            .orElseThrow();
    return command.getCommandSpec().options().stream()
        .filter(option -> option.longestName().matches(".*_(first|second|third|sixth)"))
        .filter(option -> !option.longestName().matches("--(network|guide)_.*"))
        .toList();
  }

  @ParameterizedTest
  @EnumSource(Preset.class)
  void everySamplerOptionHasItsPresetsDefault(Preset preset) {
    Map<String, String> defaults = new HashMap<>();
    samplerOptions(preset)
        .forEach(option -> defaults.put(option.longestName(), option.defaultValue()));

    assertThat(defaults).hasSizeGreaterThan(4 * 12).doesNotContainValue(null);
    for (int i : new int[] {0, 1, 2, 5}) {
      String stage = StageNames.of(i);
      assertThat(defaults.get("--num_steps_" + stage))
          .isEqualTo(Integer.toString(preset.stage(i).solver().numSteps()));
      assertThat(defaults.get("--cfg_scale_" + stage))
          .isEqualTo(Converters.text(preset.stage(i).guidance().scale()));
    }
    assertThat(defaults.get("--up_scale_third")).isEqualTo("2");
  }

  @ParameterizedTest
  @EnumSource(Preset.class)
  void onlyTheFirstStagesChurnHasNamesWithoutASuffix(Preset preset) {
    assertThat(samplerOptions(preset))
        .filteredOn(option -> option.names().length > 1)
        .extracting(OptionSpec::longestName)
        .containsExactlyInAnyOrder(
            "--S_churn_first", "--S_min_first", "--S_max_first", "--S_noise_first");
  }

  @ParameterizedTest
  @EnumSource(Preset.class)
  void helpShowsThreeStages(Preset preset) {
    assertThat(samplerOptions(preset))
        .allSatisfy(option ->
            assertThat(option.hidden())
                .as(option.longestName())
                .isEqualTo(option.longestName().endsWith("_sixth")));
  }
}
