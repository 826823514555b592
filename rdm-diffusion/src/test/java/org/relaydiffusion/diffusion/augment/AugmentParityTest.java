// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertClose;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertSame;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.fixture.Tensors;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.TensorScope;
import tools.jackson.databind.JsonNode;

/** Every case of augment/: the images, the labels, and where the generator stands after. */
class AugmentParityTest {
  // The reference's operations: on the two LibTorchs that were tried, 2.10 and 2.14, their bits.
  // The
  // bound leaves room for other processors' kernels.
  private static final double EXACT = 1e-6;

  // Two LibTorch versions differ by 3e-6 of the largest value on these cases (the fixtures'
  // README); ten times that covers other operations for the same filters.
  private static final double FAST = 3e-5;

  private static final List<String> CASES =
      List.of(
          "nothing",
          "blit_only",
          "color_only",
          "geom_params",
          "train_p012",
          "train_p02",
          "train_p1_64",
          "all_p1",
          "all_p05_grey");

  static Stream<Arguments> cases() {
    return CASES.stream()
        .flatMap(name -> Arrays.stream(Numerics.values()).map(n -> Arguments.of(name, n)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void augmentsAsTheReferenceDoes(String name, Numerics numerics) {
    Fixture fixture = Fixture.of("augment/" + name);
    JsonNode config = fixture.json("config.json");
    Tensors io = Tensors.read(fixture.file("io.safetensors"));
    Map<String, Double> kwargs = new HashMap<>();
    config
        .path("kwargs")
        .properties()
        .forEach(e -> kwargs.put(e.getKey(), e.getValue().doubleValue()));
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(config.path("manual_seed").longValue())) {
      AugmentPipe pipe = new AugmentPipe(AugmentOptions.ofKwargs(kwargs), numerics);
      assertThat(pipe.labelDim()).isEqualTo(config.path("labels_dim").intValue());
      AugmentPipe.Augmented actual = pipe.apply(io.get("images"), generator);
      assertSame(generator.randn(DType.FLOAT32, 4), io.get("rng_probe_randn4"), "the next draw");
      double tolerance = numerics == Numerics.EXACT ? EXACT : FAST;
      assertClose(actual.labels(), io.get("labels"), EXACT, "labels");
      assertClose(actual.images(), io.get("output"), tolerance, "images");
    }
  }
}
