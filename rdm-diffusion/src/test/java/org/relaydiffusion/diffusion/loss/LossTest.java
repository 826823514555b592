// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

class LossTest {
  static Stream<Loss> losses() {
    return Stream.of(new EdmLoss(), new VpLoss(), new VeLoss(), new BlurLoss(0.15, 4, 0.93, 3));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void onlyTheLossOutlivesTheCallAndItsGradientGoesBackWithoutTheRest(Loss loss) {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(5)) {
      Tensor images = Torch.full(0.5, DType.FLOAT32, 2, 3, 8, 8);
      Tensor factor = Torch.full(0.9, DType.FLOAT32, 1).requiresGrad(true);
      AugmentPipe pipe = new AugmentPipe(AugmentOptions.training(0.5), Numerics.FAST);
      long before = Tensor.liveCount();
      Tensor perPixel =
          loss.of(
              (x, _, _, _) -> x.to(DType.FLOAT32).mul(factor),
              images,
              null,
              pipe,
              new NoiseSource(generator, generator));
      assertThat(Tensor.liveCount()).isEqualTo(before + 1);
      assertThat(perPixel.shape()).containsExactly(2, 3, 8, 8);
      assertThat(Arrays.stream(perPixel.toDoubles())).allMatch(v -> v >= 0 && Double.isFinite(v));
      Reduction.sum(perPixel.reshape(-1), Reduction.KeepDim.NO, 0).backward();
      Tensor grad = Objects.requireNonNull(factor.grad());
      assertThat(grad.item()).isFinite().isNotZero();
    }
  }

  @ParameterizedTest
  @MethodSource("losses")
  void imagesOfAnotherTypeAreRefused(Loss loss) {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(5)) {
      Tensor images = Torch.zeros(DType.FLOAT64, 1, 3, 8, 8);
      NoiseSource random = new NoiseSource(generator, generator);
      assertThatThrownBy(() -> loss.of((x, _, _, _) -> x, images, null, null, random))
          .isInstanceOf(RdmException.class)
          .hasMessage("a loss requires float32 images [N, C, H, W], but found float64[1, 3, 8, 8]");
    }
  }

  @Test
  void nonsenseIsRefusedByName() {
    assertThatThrownBy(() -> new EdmLoss(Double.NaN, 1.2, 0.5))
        .isInstanceOf(OptionException.class)
        .hasMessage("P_mean must be a finite number, but is NaN");
    assertThatThrownBy(() -> new EdmLoss(-1.2, 0, 0.5))
        .isInstanceOf(OptionException.class)
        .hasMessage("P_std must be a finite number above 0, but is 0.0");
    assertThatThrownBy(() -> new VpLoss(19.9, 0.1, 1))
        .isInstanceOf(OptionException.class)
        .hasMessage("epsilon_t must be in (0, 1), but is 1.0");
    assertThatThrownBy(() -> new VeLoss(2, 1))
        .isInstanceOf(OptionException.class)
        .hasMessage("sigma_max must be at least sigma_min, 2.0, but is 1.0");
  }
}
