package org.relaydiffusion.diffusion.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertClose;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertSame;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.fixture.Tensors;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.TensorScope;
import tools.jackson.databind.JsonNode;

/** Every case of augment/: the images, the labels, and where the generator stands after. */
class AugmentParityTest {
  // Two LibTorch versions differ by 3e-6 of the largest value on these cases (the fixtures'
  // README);
  // ten times that covers maps that are computed in float64 here and in float32 there.
  private static final double TOLERANCE = 3e-5;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nothing",
        "blit_only",
        "color_only",
        "geom_params",
        "train_p012",
        "train_p02",
        "train_p1_64",
        "all_p1",
        "all_p05_grey"
      })
  void augmentsAsTheReferenceDoes(String name) {
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
      AugmentPipe pipe = new AugmentPipe(AugmentOptions.ofKwargs(kwargs));
      assertThat(pipe.labelDim()).isEqualTo(config.path("labels_dim").intValue());
      AugmentPipe.Augmented actual = pipe.apply(io.get("images"), generator);
      assertSame(generator.randn(DType.FLOAT32, 4), io.get("rng_probe_randn4"), "the next draw");
      assertClose(actual.labels(), io.get("labels"), TOLERANCE, "labels");
      assertClose(actual.images(), io.get("output"), TOLERANCE, "images");
    }
  }
}
