// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;

class ComputeTypeTest {
  private static final Device CUDA = Device.cuda(0);

  @Test
  void autoIsTheCheckpointsOwnTypeOnCudaAndFloat32OnTheCpu() {
    Map<String, Object> half = Map.of("use_fp16", true);
    Map<String, Object> single = Map.of("use_fp16", false);

    assertThat(ComputeType.AUTO.of(half, CUDA)).isEqualTo(DType.FLOAT16);
    assertThat(ComputeType.AUTO.of(single, CUDA)).isEqualTo(DType.FLOAT32);
    assertThat(ComputeType.AUTO.of(Map.of(), CUDA)).isEqualTo(DType.FLOAT32);
    assertThat(ComputeType.AUTO.of(half, Device.CPU)).isEqualTo(DType.FLOAT32);
  }

  @Test
  void aCheckpointInHalfPrecisionIsSampledFromInFloat32OnTheCpu() {
    Path half =
        Fixture.of("checkpoints/torch2_14_state_cond_fp16").file("training-state-000123.pt");

    try (Checkpoint checkpoint = Checkpoint.open(half);
        RelayPipeline pipeline =
            RelayPipeline.builder().stage(half).dtype(ComputeType.AUTO).load()) {
      Map<String, ?> kwargs = checkpoint.network().initKwargs();
      assertThat(ComputeType.AUTO.of(kwargs, CUDA)).isEqualTo(DType.FLOAT16);
      assertThat(pipeline.dtypes()).containsExactly(DType.FLOAT32);
    }
  }

  @Test
  void aTypeThatIsNamedIsThatOfEveryNetwork() {
    assertThat(ComputeType.parse("bfloat16").of(Map.of("use_fp16", true), CUDA))
        .isEqualTo(DType.BFLOAT16);
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "float32", "bfloat16", "float16"})
  void itsTextIsReadBack(String text) {
    assertThat(ComputeType.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"int8", "float64", "AUTO", ""})
  void anythingElseIsRefused(String text) {
    assertThatThrownBy(() -> ComputeType.parse(text))
        .isInstanceOf(OptionException.class)
        .hasMessage("expected auto, float32, bfloat16 or float16, but was '%s'".formatted(text));
  }
}
