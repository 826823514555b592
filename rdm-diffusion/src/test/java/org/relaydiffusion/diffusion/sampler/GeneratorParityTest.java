// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertSame;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.fixture.Tensors;
import org.relaydiffusion.torch.Comparison;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import tools.jackson.databind.JsonNode;

/** The fixtures of random/ that come from LibTorch's generators: every draw, bit for bit. */
class GeneratorParityTest {
  @Test
  void stackedGeneratorsDrawImageByImage() {
    Fixture fixture = Fixture.of("random/stacked_generator");
    Tensors draws = Tensors.read(fixture.file("draws.safetensors"));
    long[] seeds = Fixture.longs(fixture.json("seeds.json").path("seeds"));
    try (var _ = TensorScope.open();
        var generators = StackedGenerators.of(seeds)) {
      Tensor latents = generators.randn(DType.FLOAT32, 3, 16, 16);
      assertSame(latents, draws.get("latents"), "latents");
      assertSame(
          generators.randnLike(latents, DType.FLOAT64), draws.get("randn_like_f64"), "float64");
      assertSame(
          generators.randnLike(latents, DType.FLOAT32), draws.get("randn_like_f32"), "float32");
      assertSame(generators.randint(10, 4), draws.get("randint10"), "randint10");
      assertSame(
          generators.randnLike(latents, DType.FLOAT64),
          draws.get("randn_like_f64_again"),
          "float64 again");
      assertSame(generators.randn(DType.FLOAT32, 5), draws.get("randn_small"), "randn_small");
    }
  }

  @Test
  void aFreshGeneratorsFirstDraw() {
    Tensors draws = Tensors.read(Fixture.of("random/generator_randn").file("randn.safetensors"));
    int tried = 0;
    for (String name : draws.names()) {
      if (!name.startsWith("seed")) {
        continue;
      }
      long seed = Long.parseLong(name.substring(4, name.indexOf('.')));
      try (var _ = TensorScope.open();
          Generator generator = Generator.seeded(seed & 0xffff_ffffL)) {
        Tensor expected = draws.get(name);
        assertSame(generator.randn(expected.dtype(), expected.shape()), expected, name);
      }
      tried++;
    }
    assertThat(tried).isGreaterThan(80);
  }

  @Test
  void aSequenceOfDrawsFromOneGenerator() {
    Fixture fixture = Fixture.of("random/generator_randn");
    Tensors draws = Tensors.read(fixture.file("randn.safetensors"));
    JsonNode sequence = fixture.json("sequence.json");
    try (var _ = TensorScope.open();
        Generator generator = Generator.seeded(sequence.path("seed").longValue())) {
      for (JsonNode draw : sequence.path("draws")) {
        String name = "sequence." + draw.path("index").intValue();
        Tensor expected = draws.get(name);
        assertSame(generator.randn(expected.dtype(), expected.shape()), expected, name);
      }
    }
  }

  @Test
  void theGlobalGeneratorsDrawsInOrder() {
    Fixture fixture = Fixture.of("random/global_draws");
    Tensors draws = Tensors.read(fixture.file("draws.safetensors"));
    JsonNode json = fixture.json("ops.json");
    for (JsonNode seeded : json.path("seeds")) {
      long seed = seeded.path("manual_seed").longValue();
      Generator generator = Generator.global().seed(seed);
      int k = 0;
      for (JsonNode op : json.path("ops")) {
        try (var _ = TensorScope.open()) {
          String name = "seed%s.%s.%s".formatted(seed, k++, op.path("op").asString());
          Tensor expected = draws.get(name);
          assertSame(draw(generator, op, expected), expected, name);
        }
      }
    }
  }

  private static Tensor draw(Generator generator, JsonNode op, Tensor expected) {
    long[] sizes = expected.shape();
    return switch (op.path("op").asString()) {
      case "rand" -> generator.rand(DType.FLOAT32, sizes);
      case "rand_f64" -> generator.rand(DType.FLOAT64, sizes);
      case "randn" -> generator.randn(DType.FLOAT32, sizes);
      case "randint" -> generator.randint(op.path("high").longValue(), sizes);
      case "random_int64" -> Torch.scalar(generator.randomInt64()).reshape(sizes);
      // A Bernoulli draw by a float32 tensor of p is a float32 uniform draw below p.
      case "bernoulli" ->
          Comparison.lt(generator.rand(DType.FLOAT32, sizes), Torch.scalar(op.path("p").asDouble()))
              .to(expected.dtype());
      case "dropout" ->
          Functional.dropout(Torch.ones(DType.FLOAT32, sizes), op.path("p").asDouble());
      default -> throw new IllegalArgumentException("unknown draw " + op);
    };
  }
}
