// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.diffusion.train.NetworkPreset.Changes;

class NetworkPresetTest {
  @Test
  void admIsWiderAndDeeperAt256Pixels() {
    assertThat(NetworkPreset.ADM.kwargs(256, Changes.NONE))
        .containsEntry("model_channels", 256L)
        .containsEntry("channel_mult", List.of(1L, 1L, 2L, 2L, 4L, 4L))
        .containsEntry("num_blocks", 2L);
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 128, 255, 257, 320, 512, 1024})
  void andAtNoOtherSize(int resolution) {
    assertThat(NetworkPreset.ADM.kwargs(resolution, Changes.NONE))
        .containsEntry("model_channels", 192L)
        .containsEntry("channel_mult", List.of(1L, 2L, 3L, 4L))
        .doesNotContainKey("num_blocks");
  }

  @ParameterizedTest
  @EnumSource(NetworkPreset.class)
  void everyArchitectureSaysWhichAttentionItHas(NetworkPreset preset) {
    Changes efficient =
        new Changes(OptionalInt.empty(), List.of(), OptionalInt.empty(), 0, 0, true);
    Map<String, @Nullable Object> plain = preset.kwargs(64, Changes.NONE);

    assertThat(plain).containsEntry("eff_attn", false);
    assertThat(preset.kwargs(64, efficient)).containsEntry("eff_attn", true);
  }
}
