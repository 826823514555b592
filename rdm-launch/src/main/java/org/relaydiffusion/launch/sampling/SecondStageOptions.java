// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** Options of the second stage's sampler; defaults come from {@link PresetDefaults}. */
final class SecondStageOptions implements Section {
  @Option(
      names = "--network_second",
      paramLabel = "FILE|URL",
      description =
          "Checkpoint (.pkl, .pt or .safetensors) of the second stage. An http or https"
              + " URL is downloaded once, into the cache folder.")
  @Nullable FileLocation network;

  @Option(
      names = "--num_steps_second",
      paramLabel = "N",
      description =
          "Number of noise levels, at least 2, including those above --truncation_sigma_second."
              + " Default: ${DEFAULT-VALUE}.")
  int numSteps;

  @Option(
      names = "--sigma_min_second",
      paramLabel = "X",
      description =
          "Lowest noise level, above 0 and below --truncation_sigma_second."
              + " Default: ${DEFAULT-VALUE}.")
  double sigmaMin;

  @Option(
      names = "--sigma_max_second",
      paramLabel = "X",
      description =
          "Highest noise level of the complete schedule, above --sigma_min_second."
              + " Default: ${DEFAULT-VALUE}.")
  double sigmaMax;

  @Option(
      names = "--rho_second",
      paramLabel = "X",
      description = "Exponent of the noise schedule, above 0. Default: ${DEFAULT-VALUE}.")
  double rho;

  @Option(
      names = "--cfg_scale_second",
      paramLabel = "X",
      description =
          "Classifier-free guidance scale; above 1, it requires a second network evaluation."
              + " Default: ${DEFAULT-VALUE} (1 or less: off).")
  double guidance;

  @Option(
      names = "--up_scale_second",
      paramLabel = "N",
      description =
          "Side of a blur patch and of a noise block in pixels, at least 2; must divide the"
              + " resolution."
              + " Default: ${DEFAULT-VALUE}.")
  int upScale;

  @Option(
      names = "--truncation_sigma_second",
      paramLabel = "X",
      description = "Noise level below which the relay starts, above 0. Default: ${DEFAULT-VALUE}.")
  double truncationSigma;

  @Option(
      names = "--truncation_t_second",
      paramLabel = "X",
      description =
          "Position on the blur schedule at which the relay starts, above 0. Default:"
              + " ${DEFAULT-VALUE}.")
  double truncationT;

  @Option(
      names = "--s_block_second",
      paramLabel = "X",
      description =
          "Strength of the block noise relative to the noise, at least 0. Default:"
              + " ${DEFAULT-VALUE}.")
  double blockNoise;

  @Option(
      names = "--s_noise_second",
      paramLabel = "X",
      description = "Fraction of new noise in each step, 0 to 1. Default: ${DEFAULT-VALUE}.")
  double noise;

  @Option(
      names = "--blur_sigma_max_second",
      paramLabel = "X",
      description =
          "Standard deviation of the strongest blur in pixels, at least 0. Default:"
              + " ${DEFAULT-VALUE}.")
  double blurSigmaMax;

  @Override
  public String heading() {
    return "Second stage (relay to high resolution)";
  }

  /**
   * Returns the validated options of the sampler; values not given on the command line are those of
   * the preset.
   */
  RelayOptions options(RelayOptions preset) {
    return StageOptions.checked(
        "_second",
        () -> {
          StageOptions.requirePositive("sigma_min", sigmaMin);
          StageOptions.requireAtLeast("up_scale", 2, upScale);
          return preset.toBuilder()
              .numSteps(numSteps)
              .sigmaMin(sigmaMin)
              .sigmaMax(sigmaMax)
              .rho(rho)
              .guidance(guidance)
              .upScale(upScale)
              .truncationSigma(truncationSigma)
              .truncationT(truncationT)
              .blockNoise(blockNoise)
              .noise(noise)
              .blurSigmaMax(blurSigmaMax)
              .build();
        });
  }
}
