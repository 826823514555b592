// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertClose;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertSame;

import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

class AugmentPipeTest {
  @Test
  void withoutProbabilityNothingChangesButTheDrawsAreMade() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(1);
        Generator untouched = Generator.seeded(1)) {
      Tensor images = Generator.global().randn(DType.FLOAT32, 3, 3, 8, 8);
      AugmentPipe.Augmented out = pipe(AugmentOptions.training(0)).apply(images, generator);
      assertSame(out.images(), images, "images");
      // A label may be -0, as the reference's may.
      assertThat(Arrays.stream(out.labels().toDoubles())).hasSize(27).allMatch(v -> v == 0);
      assertThat(generator.state()).isNotEqualTo(untouched.state());
    }
  }

  @Test
  void anImageThatIsNotMovedKeepsItsBitsBesideOneThatIs() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(4)) {
      Tensor images = generator.randn(DType.FLOAT32, 16, 3, 8, 8);
      AugmentPipe.Augmented out =
          pipe(options(Map.of("p", 0.5, "scale", 1))).apply(images, generator);
      float[] labels = out.labels().toFloats();
      int still = 0;
      for (int i = 0; i < 16; i++) {
        float[] before = Shapes.select(images, 0, i).toFloats();
        float[] after = Shapes.select(out.images(), 0, i).toFloats();
        still += labels[i] == 0 ? 1 : 0;
        if (labels[i] == 0) {
          assertThat(after).as("image %s", i).containsExactly(before);
        } else {
          assertThat(after).as("image %s", i).isNotEqualTo(before);
        }
      }
      assertThat(still).isBetween(1, 15);
    }
  }

  @Test
  void withExactNumericsEveryImageGoesThroughTheFiltersAndOnlyRoundingShows() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(4)) {
      Tensor images = generator.randn(DType.FLOAT32, 16, 3, 8, 8);
      AugmentPipe.Augmented out =
          new AugmentPipe(options(Map.of("p", 0.5, "scale", 1)), Numerics.EXACT)
              .apply(images, generator);
      float[] labels = out.labels().toFloats();
      int still = 0;
      for (int i = 0; i < 16; i++) {
        float[] before = Shapes.select(images, 0, i).toFloats();
        float[] after = Shapes.select(out.images(), 0, i).toFloats();
        if (labels[i] == 0) {
          still++;
          assertThat(after)
              .as("image %s", i)
              .isNotEqualTo(before)
              .containsExactly(before, within(1e-5f));
        }
      }
      assertThat(still).isBetween(1, 15);
    }
  }

  @Test
  void bothNumericsMoveImagesAlike() {
    AugmentOptions all = AugmentOptions.training(0.7);
    try (TensorScope _ = TensorScope.open();
        Generator exact = Generator.seeded(9);
        Generator fast = Generator.seeded(9);
        Generator pictures = Generator.seeded(10)) {
      for (int side : new int[] {8, 16, 33}) {
        Tensor images = pictures.randn(DType.FLOAT32, 12, 3, side, side);
        AugmentPipe.Augmented a = new AugmentPipe(all, Numerics.EXACT).apply(images, exact);
        AugmentPipe.Augmented b = new AugmentPipe(all, Numerics.FAST).apply(images, fast);
        assertSame(a.labels(), b.labels(), "labels");
        assertClose(b.images(), a.images(), 3e-5, "images of side " + side);
      }
    }
  }

  @Test
  void xflipMirrorsTheImagesThatItsLabelNames() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(6)) {
      Tensor images = generator.randn(DType.FLOAT32, 8, 2, 3, 5);
      AugmentPipe.Augmented out = pipe(options(Map.of("xflip", 1e8))).apply(images, generator);
      float[] labels = out.labels().toFloats();
      assertThat(labels).contains(0).contains(1);
      for (int i = 0; i < 8; i++) {
        Tensor before = Shapes.select(images, 0, i);
        assertSame(
            Shapes.select(out.images(), 0, i),
            labels[i] == 1 ? Shapes.flip(before, 2) : before,
            "image " + i);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Numerics.class)
  void anyAmountOfMovementStaysFiniteOnAnySize(Numerics numerics) {
    AugmentOptions wild =
        options(
            Map.of(
                "scale",
                1,
                "rotate_frac",
                1,
                "aniso",
                1,
                "translate_frac",
                1,
                "scale_std",
                4,
                "translate_frac_std",
                16));
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(8)) {
      for (int side : new int[] {1, 2, 7}) {
        Tensor images = generator.randn(DType.FLOAT32, 4, 1, side, side + 3);
        Tensor moved = new AugmentPipe(wild, numerics).apply(images, generator).images();
        assertThat(moved.shape()).isEqualTo(images.shape());
        for (float value : moved.toFloats()) {
          assertThat(value).isFinite();
        }
      }
    }
  }

  @Test
  void nothingIsRecordedForGradients() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(8)) {
      Tensor images = generator.randn(DType.FLOAT32, 2, 3, 8, 8).requiresGrad(true);
      Tensor moved = pipe(AugmentOptions.training(1)).apply(images, generator).images();
      assertThat(moved.requiresGrad()).isFalse();
    }
  }

  @Test
  void imagesThatAnOperationCannotTakeAreRefused() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(8)) {
      Tensor wide = generator.randn(DType.FLOAT32, 1, 3, 4, 8);
      assertThatThrownBy(() -> pipe(options(Map.of("rotate_int", 1))).apply(wide, generator))
          .isInstanceOf(OptionException.class)
          .hasMessage("augmentation with rotate_int requires square images, but found 8 x 4");
      Tensor two = generator.randn(DType.FLOAT32, 1, 2, 4, 4);
      assertThatThrownBy(() -> pipe(options(Map.of("hue", 1))).apply(two, generator))
          .isInstanceOf(OptionException.class)
          .hasMessage("colour augmentation requires images with 1 or 3 channels, but found 2");
      Tensor fine = generator.randn(DType.FLOAT64, 1, 3, 4, 4);
      assertThatThrownBy(() -> pipe(AugmentOptions.training(1)).apply(fine, generator))
          .isInstanceOf(RdmException.class)
          .hasMessage(
              "images to augment must be float32 [N, C, H, W], but found float64[1, 3, 4, 4]");
    }
  }

  private static AugmentPipe pipe(AugmentOptions options) {
    return new AugmentPipe(options, Numerics.FAST);
  }

  private static AugmentOptions options(Map<String, ? extends Number> kwargs) {
    return AugmentOptions.ofKwargs(kwargs);
  }
}
