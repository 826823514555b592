// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.Churn;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.launch.command.Converters;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The defaults of a preset under the names of the command line options. */
final class PresetDefaults implements IDefaultValueProvider {
  private final Map<String, String> values = new LinkedHashMap<>();

  PresetDefaults(Preset preset) {
    values.put("--seeds", preset.seeds());
    put("--batch", Preset.DEFAULT_BATCH);
    first(preset.first());
    second(preset.second());
  }

  private void first(EdmOptions first) {
    put("--num_steps_first", first.numSteps());
    put("--sigma_min_first", first.sigmaMin());
    put("--sigma_max_first", first.sigmaMax());
    put("--rho_first", first.rho());
    put("--cfg_scale_first", first.guidance());
    first.sdeScale().ifPresent(scale -> put("--sde_scale_first", scale));
    churn(first.churn(), "_first");
  }

  private void second(RelayOptions second) {
    put("--num_steps_second", second.numSteps());
    put("--sigma_min_second", second.sigmaMin());
    put("--sigma_max_second", second.sigmaMax());
    put("--rho_second", second.rho());
    put("--cfg_scale_second", second.guidance());
    put("--up_scale_second", second.upScale());
    put("--truncation_sigma_second", second.truncationSigma());
    put("--truncation_t_second", second.truncationT());
    put("--s_block_second", second.blockNoise());
    put("--s_noise_second", second.noise());
    put("--blur_sigma_max_second", second.blurSigmaMax());
    second.churn().ifPresent(churn -> churn(churn, "_second"));
  }

  private void churn(Churn churn, String suffix) {
    put("--S_churn" + suffix, churn.amount());
    put("--S_min" + suffix, churn.min());
    put("--S_max" + suffix, churn.max());
    put("--S_noise" + suffix, churn.noise());
  }

  private void put(String option, double value) {
    values.put(option, Converters.text(value));
  }

  @Override
  public @Nullable String defaultValue(ArgSpec argument) {
    return argument instanceof OptionSpec option ? values.get(option.longestName()) : null;
  }
}
