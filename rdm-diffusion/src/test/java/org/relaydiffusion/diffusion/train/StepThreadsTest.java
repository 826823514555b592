// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.model.ModelConfig;

/** Small steps are one thread's, whatever the machine does; larger ones have LibTorch's number. */
class StepThreadsTest {
  private static ModelConfig network(int resolution, int channels) {
    return ModelConfig.of(
        "EDMPrecond",
        Map.of(
            "img_resolution",
            resolution,
            "img_channels",
            3,
            "label_dim",
            10,
            "model_type",
            "DhariwalUNet",
            "model_channels",
            channels,
            "channel_mult",
            List.of(1, 2),
            "num_blocks",
            1,
            "attn_resolutions",
            List.of()));
  }

  @Test
  void onlySmallStepsAreOneThreads() {
    assertThat(StepThreads.of(network(16, 8), 4)).hasValue(1);
    assertThat(StepThreads.of(network(16, 8), 1)).hasValue(1);
    assertThat(StepThreads.of(network(16, 64), 4)).isEmpty();
    assertThat(StepThreads.of(network(64, 64), 1)).isEmpty();
    assertThat(StepThreads.of(network(16, 8), 1000)).isEmpty();
  }
}
