// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.Churn;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** Options of the first stage's sampler; defaults come from {@link PresetDefaults}. */
final class FirstStageOptions implements Section {
  @Option(
      names = "--network_first",
      paramLabel = "FILE|URL",
      description =
          "Checkpoint (.pkl, .pt or .safetensors) of the first stage. An http or https"
              + " URL is downloaded once, into the cache folder.")
  @Nullable FileLocation network;

  @Option(
      names = "--num_steps_first",
      paramLabel = "N",
      description = "Number of noise levels, at least 2. Default: ${DEFAULT-VALUE}.")
  int numSteps;

  @Option(
      names = "--sigma_min_first",
      paramLabel = "X",
      description =
          "Lowest noise level, above 0 (pixel values range from -1 to 1). Default:"
              + " ${DEFAULT-VALUE}.")
  double sigmaMin;

  @Option(
      names = "--sigma_max_first",
      paramLabel = "X",
      description = "Highest noise level, above --sigma_min_first. Default: ${DEFAULT-VALUE}.")
  double sigmaMax;

  @Option(
      names = "--rho_first",
      paramLabel = "X",
      description =
          "Exponent of the noise schedule, above 0; higher values give more steps at low levels."
              + " Default: ${DEFAULT-VALUE}.")
  double rho;

  @Option(
      names = "--cfg_scale_first",
      paramLabel = "X",
      description =
          "Classifier-free guidance scale; above 1, it requires a second network evaluation."
              + " Default: ${DEFAULT-VALUE} (1 or less: off).")
  double guidance;

  @Option(
      names = {"--S_churn", "--S_churn_first"},
      paramLabel = "X",
      description =
          "Total amount of noise added in the steps (churn), at least 0. Default:"
              + " ${DEFAULT-VALUE}.")
  double churn;

  @Option(
      names = {"--S_min", "--S_min_first"},
      paramLabel = "X",
      description = "Lowest noise level with added noise, at least 0. Default: ${DEFAULT-VALUE}.")
  double churnMin;

  @Option(
      names = {"--S_max", "--S_max_first"},
      paramLabel = "X",
      description =
          "Highest noise level with added noise, at least 0 or inf. Default: ${DEFAULT-VALUE}.")
  double churnMax;

  @Option(
      names = {"--S_noise", "--S_noise_first"},
      paramLabel = "X",
      description = "Standard deviation of the added noise. Default: ${DEFAULT-VALUE}.")
  double churnNoise;

  @Override
  public String heading() {
    return "First stage (diffusion at low resolution)";
  }

  /**
   * Returns the validated options of the sampler; values not given on the command line are those of
   * the preset.
   */
  EdmOptions options(EdmOptions preset) {
    return StageOptions.checked(
        "_first",
        () -> {
          StageOptions.requirePositive("sigma_min", sigmaMin);
          return preset.toBuilder()
              .numSteps(numSteps)
              .sigmaMin(sigmaMin)
              .sigmaMax(sigmaMax)
              .rho(rho)
              .guidance(guidance)
              .churn(new Churn(churn, churnMin, churnMax, churnNoise))
              .build();
        });
  }
}
