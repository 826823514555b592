// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import static org.assertj.core.api.Assertions.assertThat;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertClose;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertSame;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.fixture.Tensors;
import org.relaydiffusion.diffusion.schedule.BlurSchedule;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import tools.jackson.databind.JsonNode;

/** The fixtures of blurring/, each as the reference made it. */
class BlurParityTest {
  // float64: both sides are exact to a few units in the last place; float32: ten times the 3e-7
  // that
  // two LibTorch versions differ by, as the fixtures' README says.
  private static final double FLOAT64 = 1e-12;
  private static final double FLOAT32 = 3e-6;

  private static double tolerance(Tensor x) {
    return x.dtype() == DType.FLOAT64 ? FLOAT64 : FLOAT32;
  }

  private static Dct.Norm norm(JsonNode c) {
    return c.path("norm").isNull() ? Dct.Norm.NONE : Dct.Norm.ORTHO;
  }

  @Test
  void cosineTransformsAlongAnAxis() {
    Fixture fixture = Fixture.of("blurring/dct_1d");
    Tensors io = Tensors.read(fixture.file("io.safetensors"));
    for (JsonNode c : fixture.json("cases.json")) {
      try (var _ = TensorScope.open()) {
        String prefix = "case" + c.path("case").intValue();
        Tensor x = io.get(prefix + ".x");
        assertClose(Dct.dct(x, norm(c)), io.get(prefix + ".dct"), tolerance(x), prefix + " dct");
        assertClose(Dct.idct(x, norm(c)), io.get(prefix + ".idct"), tolerance(x), prefix + " idct");
      }
    }
  }

  @Test
  void cosineTransformsOfPatches() {
    Fixture fixture = Fixture.of("blurring/dct_2d");
    Tensors io = Tensors.read(fixture.file("io.safetensors"));
    for (JsonNode c : fixture.json("cases.json")) {
      try (var _ = TensorScope.open()) {
        String prefix = "case" + c.path("case").intValue();
        int size = c.path("size").intValue();
        Tensor x = io.get(prefix + ".x");
        assertClose(Dct.dct2d(x, size, norm(c)), io.get(prefix + ".dct_2d"), tolerance(x), prefix);
        assertClose(
            Dct.idct2d(x, size, norm(c)), io.get(prefix + ".idct_2d"), tolerance(x), prefix);
      }
    }
  }

  @Test
  void patchesAreCutAndJoined() {
    Fixture fixture = Fixture.of("blurring/rearrange");
    Tensors io = Tensors.read(fixture.file("io.safetensors"));
    for (JsonNode c : fixture.json("cases.json")) {
      try (var _ = TensorScope.open()) {
        String prefix = "case" + c.path("case").intValue();
        int side = c.path("image_size").intValue();
        Tensor patches = Patches.cut(io.get(prefix + ".x"), c.path("patch_size").intValue());
        assertSame(patches, io.get(prefix + ".rearranged"), prefix);
        assertSame(Patches.join(patches, side, side), io.get(prefix + ".recovered"), prefix);
      }
    }
  }

  @Test
  void blockNoiseIsSummedInTheReferencesOrder() {
    Fixture fixture = Fixture.of("blurring/block_noise");
    Tensors io = Tensors.read(fixture.file("io.safetensors"));
    for (JsonNode c : fixture.json("cases.json")) {
      try (var _ = TensorScope.open()) {
        String prefix = "case" + c.path("case").intValue();
        Tensor expected = io.get(prefix + ".output");
        int blockSize = c.path("block_size").intValue();
        Tensor noise =
            c.has("manual_seed")
                ? Generator.global()
                    .seed(c.path("manual_seed").longValue())
                    .randn(expected.dtype(), expected.shape())
                : io.get(prefix + ".noise");
        // Additions in one order and one division: bit for bit.
        assertSame(BlockNoise.of(noise, blockSize), expected, prefix);
      }
    }
  }

  @Test
  void dampingHasTheReferencesBitsUpToItsExponential() {
    Fixture fixture = Fixture.of("blurring/get_alpha_t");
    Tensors io = Tensors.read(fixture.file("io.safetensors"));
    for (JsonNode c : fixture.json("cases.json")) {
      JsonNode arguments = c.path("kwargs");
      BlurSchedule schedule =
          new BlurSchedule(
              arguments.path("prob_length").asDouble(0.93),
              arguments.path("blur_sigma_max").asDouble(3),
              arguments.path("min_scale").asDouble(BlurSchedule.DEFAULT_MIN_SCALE));
      try (var _ = TensorScope.open()) {
        String prefix = "case" + c.path("case").intValue();
        Tensor tile =
            Damping.tile(schedule, c.path("t").doubleValue(), c.path("patch_size").intValue());
        // One unit in the last place: builds of LibTorch differ in their vectorised exponential.
        float[] actual = tile.toFloats();
        float[] expected = io.get(prefix + ".tile").toFloats();
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
          assertThat(Math.abs(Float.floatToIntBits(actual[i]) - Float.floatToIntBits(expected[i])))
              .as("entry %s of %s", i, c)
              .isLessThanOrEqualTo(1);
        }
      }
    }
  }

  @Test
  void dampingRepeatsOverTheImage() {
    Tensors io = Tensors.read(Fixture.of("blurring/get_alpha_t").file("io.safetensors"));
    try (var _ = TensorScope.open()) {
      Tensor images = Torch.zeros(DType.FLOAT64, 1, 3, 16, 16);
      Tensor full = Damping.at(new BlurSchedule(0.93, 3), 0.5, 4, images);
      assertClose(full, io.get("repeat4.full"), 1.2e-7, "repeat4.full");
      assertSame(
          Shapes.narrow(Shapes.narrow(full, 0, 4, 4), 1, 8, 4),
          Damping.tile(new BlurSchedule(0.93, 3), 0.5, 4),
          "one of the tiles");
    }
  }

  @Test
  void imagesAreBlurredEachByItsOwnDeviation() {
    Fixture fixture = Fixture.of("blurring/dct_blur");
    Tensors io = Tensors.read(fixture.file("io.safetensors"));
    for (JsonNode c : fixture.json("cases.json")) {
      try (var _ = TensorScope.open()) {
        String prefix = "case" + c.path("case").intValue();
        DctBlur blur =
            new DctBlur(c.path("patch_size").intValue(), c.path("min_scale").doubleValue());
        for (Numerics numerics : Numerics.values()) {
          assertClose(
              blur.apply(io.get(prefix + ".x"), io.get(prefix + ".blur_sigmas"), numerics),
              io.get(prefix + ".output"),
              FLOAT32,
              prefix + " " + numerics);
        }
      }
    }
  }
}
