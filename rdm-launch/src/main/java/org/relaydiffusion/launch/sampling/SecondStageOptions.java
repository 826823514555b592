package org.relaydiffusion.launch.sampling;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** How the second stage samples; defaults come from {@link PresetDefaults}. */
final class SecondStageOptions implements Section {
  @Option(
      names = "--network_second",
      paramLabel = "FILE|URL",
      description =
          "Second stage's checkpoint: .pkl, .pt or .safetensors. One given by its http or https"
              + " address is downloaded once, into the cache folder.")
  @Nullable FileLocation network;

  @Option(
      names = "--num_steps_second",
      paramLabel = "N",
      description =
          "Noise levels before those from --truncation_sigma_second on are dropped, at least 2."
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
          "Highest noise level of the whole curve, above --sigma_min_second."
              + " Default: ${DEFAULT-VALUE}.")
  double sigmaMax;

  @Option(
      names = "--rho_second",
      paramLabel = "X",
      description = "Exponent of the noise levels' curve, above 0. Default: ${DEFAULT-VALUE}.")
  double rho;

  @Option(
      names = "--cfg_scale_second",
      paramLabel = "X",
      description =
          "Classifier-free guidance; above 1 it costs a second network call."
              + " Default: ${DEFAULT-VALUE} (1 or less is off).")
  double guidance;

  @Option(
      names = "--up_scale_second",
      paramLabel = "N",
      description =
          "Side of a blurring patch and of a noise block in pixels, at least 2; it divides the"
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
          "Where on the blur schedule the relay starts, above 0. Default: ${DEFAULT-VALUE}.")
  double truncationT;

  @Option(
      names = "--s_block_second",
      paramLabel = "X",
      description = "Part of block noise in the noise, at least 0. Default: ${DEFAULT-VALUE}.")
  double blockNoise;

  @Option(
      names = "--s_noise_second",
      paramLabel = "X",
      description = "Part of fresh noise in each step, 0 to 1. Default: ${DEFAULT-VALUE}.")
  double noise;

  @Option(
      names = "--blur_sigma_max_second",
      paramLabel = "X",
      description =
          "Deviation of the strongest blur in pixels, at least 0. Default: ${DEFAULT-VALUE}.")
  double blurSigmaMax;

  @Override
  public String heading() {
    return "Second stage (relay to high resolution)";
  }

  /** The sampler's options, checked; what the command line does not say stays as in the preset. */
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
