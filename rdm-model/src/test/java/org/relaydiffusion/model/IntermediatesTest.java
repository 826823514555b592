// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** A pass holds the encoder's skips and nothing else: what it made is closed once it is used. */
class IntermediatesTest {
  @ParameterizedTest
  @CsvSource({
    "DhariwalUNet, standard, standard",
    "SongUNet, standard, standard",
    "SongUNet, skip, skip",
    "SongUNet, residual, skip"
  })
  void theLastBlockHoldsAsMuchInADeepNetworkAsInAFlatOne(
      String architecture, String encoder, String decoder) {
    Map<String, Object> kwargs = new HashMap<>();
    kwargs.put("img_resolution", 16L);
    kwargs.put("img_channels", 3L);
    kwargs.put("model_type", architecture);
    kwargs.put("model_channels", 8L);
    if (architecture.equals("SongUNet")) {
      kwargs.put("encoder_type", encoder);
      kwargs.put("decoder_type", decoder);
    }
    kwargs.put("channel_mult", List.of(1L, 1L));
    long flat = heldAtTheLastBlock(kwargs, 1);
    kwargs.put("channel_mult", List.of(1L, 1L, 1L, 1L));
    assertThat(heldAtTheLastBlock(kwargs, 3)).isEqualTo(flat);
  }

  /** Live tensors that a pass has made when the decoder's last block gives its output. */
  private static long heldAtTheLastBlock(Map<String, Object> kwargs, long blocks) {
    Map<String, Object> all = new HashMap<>(kwargs);
    all.put("num_blocks", blocks);
    long[] held = {-1};
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(1);
        Preconditioner network =
            Preconditioner.initialized(
                ModelConfig.of("EDMPrecond", all), generator, LoadOptions.EXACT)) {
      Tensor x = Torch.zeros(DType.FLOAT32, 1, 3, 16, 16);
      Tensor sigma = Torch.scalar(1.0);
      long before = Tensor.liveCount();
      network.observe((path, _) -> {
        if (path.equals("model.dec.16x16_block" + blocks)) {
          held[0] = Tensor.liveCount() - before;
        }
      });
      network.denoise(x, sigma, null);
      network.observe(null);
    }
    assertThat(held[0]).isPositive();
    return held[0];
  }
}
