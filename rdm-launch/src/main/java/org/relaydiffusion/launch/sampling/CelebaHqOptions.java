// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import org.relaydiffusion.diffusion.Churn;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** Options of the CelebA-HQ script's samplers only; defaults come from {@link PresetDefaults}. */
final class CelebaHqOptions implements Section {
  @Option(
      names = "--sde_scale_first",
      paramLabel = "X",
      description =
          "First stage: fraction of the noise that is replaced in each step, 0 to 1; guidance has"
              + " no effect in this sampler. Default: ${DEFAULT-VALUE}.")
  double sdeScale;

  @Option(
      names = "--S_churn_second",
      paramLabel = "X",
      description =
          "Second stage: total amount of noise added in the steps (churn), at least 0."
              + " Default: ${DEFAULT-VALUE}.")
  double churn;

  @Option(
      names = "--S_min_second",
      paramLabel = "X",
      description =
          "Second stage: lowest noise level with added noise, at least 0."
              + " Default: ${DEFAULT-VALUE}.")
  double churnMin;

  @Option(
      names = "--S_max_second",
      paramLabel = "X",
      description =
          "Second stage: highest noise level with added noise, at least 0 or inf."
              + " Default: ${DEFAULT-VALUE}.")
  double churnMax;

  @Option(
      names = "--S_noise_second",
      paramLabel = "X",
      description =
          "Second stage: standard deviation of the added noise. Default: ${DEFAULT-VALUE}.")
  double churnNoise;

  @Override
  public String heading() {
    return "Samplers of the CelebA-HQ script";
  }

  /** Returns {@code options} with this script's stochastic sampler. */
  EdmOptions first(EdmOptions options) {
    return StageOptions.checked("_first", () -> options.toBuilder().sdeScale(sdeScale).build());
  }

  /** Returns {@code options} with this script's churn. */
  RelayOptions second(RelayOptions options) {
    return StageOptions.checked(
        "_second",
        () -> options.toBuilder().churn(new Churn(churn, churnMin, churnMax, churnNoise)).build());
  }
}
