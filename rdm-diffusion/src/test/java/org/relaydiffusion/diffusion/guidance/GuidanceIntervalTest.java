// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.guidance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.fixture.ScaledDenoiser;
import org.relaydiffusion.diffusion.guidance.Guidance.Evaluation;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Where guidance is active, what it computes there, and what it does not call elsewhere. */
class GuidanceIntervalTest {
  private static final GuidanceOptions OPTIONS =
      new GuidanceOptions(3, new GuidanceInterval(0.5, 2));

  private static double guided(GuidedDenoiser denoiser, double sigma) {
    try (var _ = TensorScope.open()) {
      Tensor x = Torch.tensor(new double[] {1}, 1, 1, 1, 1);
      return denoiser.denoise(x, sigma).toDoubles()[0];
    }
  }

  @ParameterizedTest
  @EnumSource(Evaluation.class)
  void classifierFreeGuidanceCallsTheUnconditionalBranchInTheIntervalOnly(Evaluation evaluation) {
    // D(x | label) = 2 x, D(x) = 0.5 x.
    ScaledDenoiser net = new ScaledDenoiser(2, 0.5);
    try (var _ = TensorScope.open()) {
      Tensor labels = Torch.tensor(new float[] {0, 1}, 1, 2);
      GuidedDenoiser denoiser = Guidance.of(OPTIONS, net, null, labels, evaluation);

      assertThat(guided(denoiser, 2.5)).isEqualTo(2);
      assertThat(guided(denoiser, 0.5)).as("LO does not belong to it").isEqualTo(2);
      assertThat(net.images()).containsExactly(1L, 1L);
      assertThat(guided(denoiser, 2)).as("HI belongs to it").isEqualTo(3 * 2 - 2 * 0.5);
      assertThat(net.images())
          .isEqualTo(
              evaluation == Evaluation.BATCHED ? List.of(1L, 1L, 2L) : List.of(1L, 1L, 1L, 1L));
      assertThat(guided(denoiser.unguided(), 1)).isEqualTo(2);
    }
  }

  @Test
  void autoguidanceExtrapolatesFromTheWeakerNetworkAndGivesBothTheLabels() {
    ScaledDenoiser net = new ScaledDenoiser(2, 100);
    ScaledDenoiser weak = new ScaledDenoiser(1.5, 100);
    try (var _ = TensorScope.open()) {
      Tensor labels = Torch.tensor(new float[] {0, 1}, 1, 2);
      GuidedDenoiser denoiser = Guidance.of(OPTIONS, net, weak, labels, Evaluation.BATCHED);

      assertThat(guided(denoiser, 1)).isEqualTo(1.5 + 3 * (2 - 1.5));
      assertThat(guided(denoiser, 3)).isEqualTo(2);
      assertThat(net.images()).containsExactly(1L, 1L);
      assertThat(weak.images()).as("not called outside the interval").containsExactly(1L);
      assertThat(denoiser.network()).isSameAs(net);
    }
  }

  @Test
  void anInactiveScaleIsThePlainNetwork() {
    ScaledDenoiser net = new ScaledDenoiser(2, 0.5);
    assertThat(Guidance.of(GuidanceOptions.NONE, net, null, null, Evaluation.SEPARATE))
        .isInstanceOf(PlainDenoiser.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0.3,5     | 0.3,5",
        "0,inf     | 0,inf",
        "0.05, 1.5 | 0.05,1.5",
        "1e-3,2    | 0.001,2"
      })
  void anIntervalIsParsedAndPrinted(String text, String printed) {
    assertThat(GuidanceInterval.parse(text)).hasToString(printed);
    assertThat(GuidanceInterval.parse(printed)).isEqualTo(GuidanceInterval.parse(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1", "1,2,3", "a,b", "1,", "0x1,2", "NaN,1"})
  void anythingElseIsRefused(String text) {
    assertThatThrownBy(() -> GuidanceInterval.parse(text))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "guidance_interval must be two noise levels LO,HI, but is '%s'".formatted(text));
  }

  @Test
  void anIntervalUpsideDownIsRefused() {
    assertThatThrownBy(() -> GuidanceInterval.parse("5,0.3"))
        .isInstanceOf(OptionException.class)
        .hasMessage("guidance_interval must end above its begin of 5.0, but ends at 0.3");
    assertThatThrownBy(() -> GuidanceInterval.parse("-1,2"))
        .hasMessage(
            "guidance_interval must begin at a finite number of at least 0, but begins at -1.0");
  }
}
