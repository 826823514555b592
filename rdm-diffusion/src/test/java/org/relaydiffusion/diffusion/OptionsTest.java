// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.diffusion.random.Seeds;

/** The table of presets, and what no sampler can be asked for. */
class OptionsTest {
  private static void refused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(OptionException.class).hasMessage(message);
  }

  @Test
  void presetsAreThePublishedScripts() {
    assertThat(Arrays.stream(Preset.values()).map(Preset::script))
        .containsExactly("generate", "generate_celebahq", "generate_imagenet");
    assertThat(Arrays.stream(Preset.values()).map(p -> Seeds.parse(p.seeds()).size()))
        .containsExactly(64, 30_000, 50_000);
    assertThat(Arrays.stream(Preset.values()).map(p -> p.first().numSteps()))
        .containsExactly(18, 120, 256);
    assertThat(Arrays.stream(Preset.values()).map(p -> p.second().numSteps()))
        .containsExactly(18, 150, 200);
    assertThat(Preset.GENERATE.enhancement()).isEqualTo(Enhancement.NONE);
    assertThat(Preset.CELEBAHQ.first().sdeScale()).hasValue(0.05);
    assertThat(Preset.CELEBAHQ.second().churn()).hasValue(Churn.OFF);
    assertThat(Preset.CELEBAHQ.second().truncationT()).isEqualTo(1.05);
    assertThat(Preset.IMAGENET.first().churn()).isEqualTo(new Churn(40, 0.05, 50, 1.003));
    assertThat(Preset.IMAGENET.second().rho()).isEqualTo(100);
    assertThat(Preset.IMAGENET.second().guidance()).isEqualTo(3.5);
  }

  @Test
  void aBuilderChangesOnlyWhatItIsTold() {
    assertThat(EdmOptions.DEFAULT.toBuilder().build()).isEqualTo(EdmOptions.DEFAULT);
    RelayOptions celebahq = Preset.CELEBAHQ.second();
    assertThat(celebahq.toBuilder().build()).isEqualTo(celebahq);
    assertThat(celebahq.toBuilder().withoutChurn().build().churn()).isEmpty();
    assertThat(Preset.CELEBAHQ.first().toBuilder().heun().build().sdeScale()).isEmpty();
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
        () -> EdmOptions.DEFAULT.toBuilder().guidance(Double.NaN).build(),
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
        () -> Stages.parse("third"),
        "--sampler_stages must be both, first or second, but is 'third'");
  }

  @Test
  void aRequestStartsFromItsPreset() {
    SampleRequest request = SampleRequest.builder(Preset.IMAGENET).seeds(5, -3, 5).build();
    assertThat(request.seeds().stream()).containsExactly(5L, -3L, 5L);
    assertThat(request.batch()).isEqualTo(64);
    assertThat(request.second()).isEqualTo(Preset.IMAGENET.second());
    assertThat(request.enhancement()).isEqualTo(Enhancement.IMAGENET);
  }
}
