// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** SiLU with dropout: what is dropped, what is left, and the way back. */
class MaskedSiluTest {
  private static Tensor input() {
    try (Generator generator = Generator.seeded(1)) {
      // Away from 0, where SiLU itself is 0.
      return Shapes.contiguous(
          generator.rand(DType.FLOAT32, 3, 8, 25, 25).add(1), MemoryFormat.CHANNELS_LAST);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.1, 0.5, 0.9})
  void theShareAskedForIsZeroAndTheRestIsScaled(double p) {
    try (TensorScope _ = TensorScope.open()) {
      Generator.global().seed(7);
      Tensor x = input();
      Tensor y = MaskedSilu.apply(x, p);
      assertThat(y.shape()).isEqualTo(x.shape());
      assertThat(y.strides()).isEqualTo(x.strides());
      float[] actual = y.toFloats();
      float[] whole = x.silu().toFloats();
      int zeros = 0;
      for (int i = 0; i < actual.length; i++) {
        if (actual[i] == 0) {
          zeros++;
        } else {
          // The probability is rounded to 1 / 65536, and so is the scale.
          assertThat(actual[i]).isCloseTo((float) (whole[i] / (1 - p)), offset(2e-3f));
        }
      }
      // Five standard deviations of 15000 draws.
      double deviation = Math.sqrt(p * (1 - p) / actual.length);
      assertThat((double) zeros / actual.length).isCloseTo(p, offset(5 * deviation + 1e-5));
    }
  }

  @Test
  void everyPixelAndChannelIsDroppedAsOften() {
    try (TensorScope _ = TensorScope.open()) {
      Generator.global().seed(7);
      Tensor x = Torch.ones(DType.FLOAT32, 64, 8, 16, 16);
      Tensor kept = MaskedSilu.apply(x, 0.5).div(2 * Torch.scalar(1.0).silu().item());
      for (long[] others : new long[][] {{0, 2, 3}, {1, 2, 3}, {0, 1, 2}, {0, 1, 3}}) {
        for (float mean : Reduction.mean(kept, Reduction.KeepDim.NO, others).toFloats()) {
          // At least 2048 draws each: five standard deviations.
          assertThat(mean).isCloseTo(0.5f, offset(0.056f));
        }
      }
    }
  }

  @Test
  void gradientsAreZeroWhereItDroppedAndScaledElsewhere() {
    try (TensorScope _ = TensorScope.open()) {
      Tensor x = input().requiresGrad(true);
      Tensor plain = input().requiresGrad(true);
      Tensor y = MaskedSilu.apply(x, 0.5);
      Reduction.sum(y, Reduction.KeepDim.NO, 0, 1, 2, 3).backward();
      Reduction.sum(plain.silu(), Reduction.KeepDim.NO, 0, 1, 2, 3).backward();
      float[] values = y.toFloats();
      float[] gradient = gradient(x);
      float[] slope = gradient(plain);
      for (int i = 0; i < values.length; i++) {
        assertThat(gradient[i]).isCloseTo(values[i] == 0 ? 0 : 2 * slope[i], offset(1e-6f));
      }
    }
  }

  private static float[] gradient(Tensor leaf) {
    Tensor gradient = leaf.grad();
    assertThat(gradient).isNotNull();
    return gradient == null ? new float[0] : gradient.toFloats();
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BFLOAT16"})
  void aSeedGivesTheSameMaskAgain(DType dtype) {
    try (TensorScope _ = TensorScope.open()) {
      Tensor x = input().to(dtype);
      Generator.global().seed(3);
      float[] first = MaskedSilu.apply(x, 0.3).toFloats();
      float[] second = MaskedSilu.apply(x, 0.3).toFloats();
      Generator.global().seed(3);
      assertThat(MaskedSilu.apply(x, 0.3).toFloats()).isEqualTo(first).isNotEqualTo(second);
    }
  }
}
