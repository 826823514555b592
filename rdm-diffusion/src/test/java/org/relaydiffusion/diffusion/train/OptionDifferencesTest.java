// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.train.OptionDifferences.Effect;

class OptionDifferencesTest {
  @Test
  void whatEarlierVersionsWroteOtherwiseIsNoDifference() {
    Map<String, ?> before =
        Map.of(
            "loss_kwargs",
            Map.of("class_name", "training.loss.EdmLoss"),
            "network_kwargs",
            Map.of("model_type", "SongUNet"),
            "total_kimg",
            200_000.0,
            "ema_halflife_kimg",
            500.0);
    Map<String, ?> now =
        Map.of(
            "loss_kwargs",
            Map.of("class_name", "training.loss.EDMLoss"),
            "network_kwargs",
            Map.of("model_type", "SongUNet", "eff_attn", false),
            "total_kimg",
            200_000L,
            "ema_halflife_kimg",
            500L);

    assertThat(OptionDifferences.between(before, now).all()).isEmpty();
  }

  @Test
  void whatDiffersIsTold() {
    OptionDifferences differences =
        OptionDifferences.between(
            Map.of("loss_kwargs", Map.of("class_name", "training.loss.VPLoss"), "batch_size", 10L),
            Map.of("loss_kwargs", Map.of("class_name", "training.loss.VELoss"), "batch_size", 1L));

    assertThat(differences.text(Effect.RESULTS))
        .contains(
            "batch_size 1 instead of 10, loss_kwargs.class_name training.loss.VELoss instead of"
                + " training.loss.VPLoss");
  }

  /** The same tensors, whichever kernel multiplies them. */
  @Test
  void theKindOfAttentionMakesNoOtherNetwork() {
    OptionDifferences differences =
        OptionDifferences.between(
            Map.of("network_kwargs", Map.of("eff_attn", false)),
            Map.of("network_kwargs", Map.of("eff_attn", true)));

    assertThat(differences.text(Effect.NETWORK)).isEmpty();
    assertThat(differences.text(Effect.RESULTS))
        .contains("network_kwargs.eff_attn true instead of false");
  }
}
