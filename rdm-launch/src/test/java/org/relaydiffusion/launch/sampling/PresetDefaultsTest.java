// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.StopSignal;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

class PresetDefaultsTest {
  private static List<OptionSpec> samplerOptions(Preset preset) {
    PrintWriter nowhere = new PrintWriter(new StringWriter());
    Console console = new Console(nowhere, nowhere, false, Map.of());
    CommandLine command =
        SamplingCommand.commandLines(console, new StopSignal()).stream()
            .filter(line -> line.getCommandName().equals(preset.script()))
            .findFirst()
            .orElseThrow();
    return command.getCommandSpec().options().stream()
        .filter(option -> option.longestName().matches(".*_(first|second)"))
        .filter(option -> !option.longestName().startsWith("--network"))
        .toList();
  }

  @ParameterizedTest
  @EnumSource(Preset.class)
  void everySamplerOptionHasItsPresetsDefault(Preset preset) {
    PresetDefaults defaults = new PresetDefaults(preset);

    assertThat(samplerOptions(preset))
        .hasSizeGreaterThan(19)
        .allSatisfy(option ->
            assertThat(defaults.defaultValue(option)).as(option.longestName()).isNotNull());
  }
}
