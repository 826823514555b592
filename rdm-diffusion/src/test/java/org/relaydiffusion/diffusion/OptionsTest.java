// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.guidance.GuidanceOptions;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.diffusion.random.Seeds;

/** The table of presets, and what no sampler can be asked for. */
class OptionsTest {
  private static EdmOptions first(Preset preset) {
    return (EdmOptions) preset.stage(0).solver();
  }

  private static RelayOptions second(Preset preset) {
    return (RelayOptions) preset.stage(1).solver();
  }

  private static void refused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(OptionException.class).hasMessage(message);
  }

  @Test
  void presetsAreThePublishedScripts() {
    assertThat(Arrays.stream(Preset.values()).map(Preset::script))
        .containsExactly("generate", "generate_celebahq", "generate_imagenet");
    assertThat(Arrays.stream(Preset.values()).map(p -> Seeds.parse(p.seeds()).size()))
        .containsExactly(64, 30_000, 50_000);
    assertThat(Arrays.stream(Preset.values()).map(p -> p.stage(0).solver().numSteps()))
        .containsExactly(18, 120, 256);
    assertThat(Arrays.stream(Preset.values()).map(p -> p.stage(1).solver().numSteps()))
        .containsExactly(18, 150, 200);
    assertThat(Preset.GENERATE.enhancement()).isEqualTo(Enhancement.NONE);
    assertThat(first(Preset.CELEBAHQ).sdeScale()).hasValue(0.05);
    assertThat(second(Preset.CELEBAHQ).churn()).hasValue(Churn.OFF);
    assertThat(second(Preset.CELEBAHQ).truncationT()).isEqualTo(1.05);
    assertThat(first(Preset.IMAGENET).churn()).isEqualTo(new Churn(40, 0.05, 50, 1.003));
    assertThat(second(Preset.IMAGENET).rho()).isEqualTo(100);
    assertThat(Preset.IMAGENET.stage(1).guidance()).isEqualTo(GuidanceOptions.scale(3.5));
  }

  @Test
  void aBuilderChangesOnlyWhatItIsTold() {
    assertThat(EdmOptions.DEFAULT.toBuilder().build()).isEqualTo(EdmOptions.DEFAULT);
    RelayOptions celebahq = second(Preset.CELEBAHQ);
    assertThat(celebahq.toBuilder().build()).isEqualTo(celebahq);
    assertThat(celebahq.toBuilder().withoutChurn().build().churn()).isEmpty();
    assertThat(first(Preset.CELEBAHQ).toBuilder().withoutSdeScale().build().sdeScale()).isEmpty();
  }

  @Test
  void churnRaisesTheLevelOnlyInItsRange() {
    assertThat(Churn.IMAGENET.gamma(1, 256)).isEqualTo(40 / 256.0);
    assertThat(Churn.IMAGENET.gamma(1, 18)).isEqualTo(Math.sqrt(2) - 1);
    assertThat(Churn.IMAGENET.gamma(0.04, 18)).isZero();
    assertThat(Churn.IMAGENET.gamma(51, 18)).isZero();
  }

  @Test
  void nonsenseIsRefusedByName() {
    refused(
        () -> EdmOptions.DEFAULT.toBuilder().numSteps(1).build(),
        "num_steps must be at least 2, but is 1");
    refused(
        () -> GuidanceOptions.scale(Double.NaN),
        "cfg_scale must be a finite number of at least 0, but is NaN");
    refused(
        () -> EdmOptions.DEFAULT.toBuilder().sdeScale(1.5).build(),
        "sde_scale must be at most 1, but is 1.5");
    refused(
        () -> RelayOptions.DEFAULT.toBuilder().sigmaMin(0.9).build(),
        "sigma_min must be below truncation_sigma = 0.9, but is 0.9: no steps would remain");
    refused(
        () -> RelayOptions.DEFAULT.toBuilder().upScale(0).build(),
        "up_scale must be at least 1, but is 0");
    refused(
        () -> RelayOptions.DEFAULT.toBuilder().noise(1.1).build(),
        "s_noise must be in [0, 1], but is 1.1");
    refused(
        () -> RelayOptions.DEFAULT.toBuilder().truncationT(0).build(),
        "prob_length must be a finite number above 0, but is 0.0");
    refused(
        () -> new Churn(-1, 0, 1, 1), "S_churn must be a finite number of at least 0, but is -1.0");
    refused(() -> new Churn(0, 0, Double.NaN, 1), "S_max must be at least 0, but is NaN");
    refused(() -> SampleRequest.builder().batch(0).build(), "batch must be at least 1, but is 0");
    refused(() -> SampleRequest.builder().rank(2, 2).build(), "rank 2 is not one of 2 processes");
    refused(
        () -> StageRange.parse("last"),
        "--sampler_stages must be both, first, second, third, ... or a range such as"
            + " first-second or second-last, but is 'last'");
  }

  @Test
  void aRequestStartsFromItsPreset() {
    SampleRequest request = SampleRequest.builder(Preset.IMAGENET).seeds(5, -3, 5).build();
    assertThat(request.seeds().stream()).containsExactly(5L, -3L, 5L);
    assertThat(request.batch()).isEqualTo(64);
    assertThat(request.stages()).isEqualTo(Preset.IMAGENET.stages());
    assertThat(request.enhancement()).isEqualTo(Enhancement.IMAGENET);
  }
}
