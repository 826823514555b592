// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.Preset;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The defaults of a preset that are not those of a stage.
 *
 * @param preset the preset
 */
record PresetDefaults(Preset preset) implements IDefaultValueProvider {
  @Override
  public @Nullable String defaultValue(ArgSpec argument) {
    return argument instanceof OptionSpec option
        ? switch (option.longestName()) {
          case "--seeds" -> preset.seeds();
          case "--batch" -> Integer.toString(Preset.DEFAULT_BATCH);
          default -> null;
        }
        : null;
  }
}
