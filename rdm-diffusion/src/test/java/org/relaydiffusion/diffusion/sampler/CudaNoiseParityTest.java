// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.LaunchGrid;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import tools.jackson.databind.JsonNode;

/**
 * The fixture random/cuda_philox: what generators on an A100, an H100 and a V100 draw, by formula.
 */
class CudaNoiseParityTest {
  /** Float32 where the logarithm is well-conditioned. */
  private static final double SINGLE = 1e-6;

  /** Float32 where u is above this: a rounding of u there moves the radius by up to 2e-4. */
  private static final double NEAR_ONE = 0.99;

  private static final double SINGLE_NEAR_ONE = 2e-4;
  private static final double DOUBLE = 1e-14;

  /** The first float32 numbers of seed 0, which are published in many places: read off GPUs. */
  private static final float[] PUBLISHED = {-0.9246626f, -0.42534414f, -2.6438458f, 0.14518388f};

  @Test
  void drawsAreThoseOfTheFixture() {
    int draws = 0;
    for (JsonNode sequence : Fixture.of("random/cuda_philox").json("draws.json")) {
      LaunchGrid grid = new LaunchGrid(sequence.path("blocks").intValue());
      assertThat(grid).isEqualTo(LaunchGrid.parse(sequence.path("device").asString()));
      long seed = sequence.path("seed").longValue();
      try (Generator generator = Generator.philox(seed, grid);
          Generator units = Generator.philox(seed, grid)) {
        for (JsonNode draw : sequence.path("draws")) {
          try (TensorScope _ = TensorScope.open()) {
            compare(generator, units, draw, "%s, seed %s".formatted(grid, seed), grid);
          }
          draws++;
        }
      }
    }
    assertThat(draws).isEqualTo(60);
  }

  private static void compare(
      Generator generator, Generator units, JsonNode expected, String what, LaunchGrid grid) {
    long[] sizes = Fixture.longs(expected.path("shape"));
    boolean isDouble = expected.path("dtype").asString().equals("float64");
    DType dtype = isDouble ? DType.FLOAT64 : DType.FLOAT32;
    double[] drawn = generator.randn(dtype, sizes).to(DType.FLOAT64).toDoubles();
    double[] uniform = units.rand(dtype, sizes).to(DType.FLOAT64).toDoubles();
    String where = "%s, %s%s".formatted(what, dtype.torchName(), Arrays.toString(sizes));
    double[] first = Fixture.doubles(expected.path("first"));
    double[] last = Fixture.doubles(expected.path("last"));
    int behind = drawn.length - last.length;
    IntStream.range(0, first.length)
        .forEach(i -> close(drawn[i], first[i], i, uniform, isDouble, where, grid));
    IntStream.range(0, last.length)
        .forEach(
            i -> close(drawn[behind + i], last[i], behind + i, uniform, isDouble, where, grid));
    double mean = Arrays.stream(drawn).average().orElseThrow();
    double variance =
        Arrays.stream(drawn).map(x -> (x - mean) * (x - mean)).average().orElseThrow();
    assertThat(mean).as(where).isCloseTo(expected.path("mean").doubleValue(), within(1e-7));
    assertThat(Math.sqrt(variance))
        .as(where)
        .isCloseTo(expected.path("std").doubleValue(), within(1e-6));
    long offset =
        ByteBuffer.wrap(generator.state()).order(ByteOrder.nativeOrder()).getLong(Long.BYTES);
    assertThat(offset).as(where).isEqualTo(expected.path("offset_after").longValue());
    assertThat(units.state()).isEqualTo(generator.state());
  }

  private static void close(
      double actual,
      double expected,
      int element,
      double[] uniform,
      boolean isDouble,
      String where,
      LaunchGrid grid) {
    double tolerance = DOUBLE;
    if (!isDouble) {
      int stride = 256 * Math.min(grid.blocks(), Math.ceilDiv(uniform.length, 256));
      // The second number of a pair has the u of the first.
      double u = uniform[element / stride % 2 == 0 ? element : element - stride];
      tolerance = u > 0 && u < NEAR_ONE ? SINGLE : SINGLE_NEAR_ONE;
    }
    assertThat(actual).as("%s, element %s", where, element).isCloseTo(expected, within(tolerance));
  }

  /** A GPU's sine is off by up to 5e-7. */
  @Test
  void seedZeroGivesThePublishedNumbers() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.philox(0, LaunchGrid.A100)) {
      Tensor drawn = generator.randn(DType.FLOAT32, 3, 64, 64);
      float[] values = drawn.toFloats();
      for (int i = 0; i < PUBLISHED.length; i++) {
        assertThat(values[i]).isCloseTo(PUBLISHED[i], within(1e-6f));
      }
    }
  }
}
