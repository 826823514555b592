// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.TorchException;

/** The noise of an image depends on its seed and its source, and on nothing else. */
class StackedGeneratorsTest {
  private static final long[] SEEDS = {5, 0, (1L << 32) + 9, 9, 123456789};

  static Stream<Noise> sources() {
    return Stream.of("auto", "cpu", "cuda", "cuda:v100", "cuda:3").map(Noise::parse);
  }

  /** The draws of a relay, and some others. */
  private static List<double[]> draws(StackedGenerators noise) {
    List<double[]> drawn = new ArrayList<>();
    try (TensorScope _ = TensorScope.open()) {
      Tensor latents = noise.randn(DType.FLOAT32, 3, 16, 16);
      drawn.add(latents.toDoubles());
      for (int i = 0; i < 4; i++) {
        drawn.add(noise.randnLike(latents, DType.FLOAT64).toDoubles());
      }
      drawn.add(noise.randint(10, 4).toDoubles());
      for (int i = 0; i < 5; i++) {
        drawn.add(noise.randn(DType.FLOAT64, 3, 40, 40).toDoubles());
      }
      drawn.add(noise.randn(DType.FLOAT32, 3, 40, 40).toDoubles());
    }
    return drawn;
  }

  @ParameterizedTest
  @MethodSource("sources")
  void noiseDoesNotDependOnTheBatchOrTheThreads(Noise source) {
    List<double[]> together;
    try (StackedGenerators noise = StackedGenerators.of(source, Device.CPU, SEEDS)) {
      assertThat(noise.size()).isEqualTo(SEEDS.length);
      together = draws(noise);
    }
    int threads = NativeThreads.threads();
    try {
      NativeThreads.setThreads(threads == 1 ? 4 : 1);
      for (int k = 0; k < SEEDS.length; k++) {
        try (StackedGenerators alone = StackedGenerators.of(source, Device.CPU, SEEDS[k])) {
          List<double[]> own = draws(alone);
          for (int d = 0; d < own.size(); d++) {
            int n = own.get(d).length;
            assertThat(own.get(d))
                .as("draw %s of image %s", d, k)
                .isEqualTo(Arrays.copyOfRange(together.get(d), k * n, (k + 1) * n));
          }
        }
      }
    } finally {
      NativeThreads.setThreads(threads);
    }
    // Seeds that are equal mod 2^32.
    assertThat(image(together.get(1), 2)).isEqualTo(image(together.get(1), 3));
    assertThat(image(together.get(1), 0)).isNotEqualTo(image(together.get(1), 1));
  }

  private static double[] image(double[] batch, int k) {
    int n = batch.length / SEEDS.length;
    return Arrays.copyOfRange(batch, k * n, (k + 1) * n);
  }

  @Test
  void sourcesGiveOtherNumbers() {
    List<List<double[]>> drawn =
        Stream.of("cpu", "cuda:a100", "cuda:3")
            .map(text -> {
              try (StackedGenerators noise =
                  StackedGenerators.of(Noise.parse(text), Device.CPU, SEEDS)) {
                return draws(noise);
              }
            })
            .toList();
    assertThat(drawn.get(0).getFirst()).isNotEqualTo(drawn.get(1).getFirst());
    // Three blocks hold an image of 16 px, but not one of 40 px.
    assertThat(drawn.get(1).get(1)).isEqualTo(drawn.get(2).get(1));
    assertThat(drawn.get(1).getLast()).isNotEqualTo(drawn.get(2).getLast());
    try (StackedGenerators plain = StackedGenerators.of(SEEDS)) {
      assertThat(draws(plain)).usingRecursiveComparison().isEqualTo(drawn.getFirst());
    }
  }

  /** Draws ahead of time are for CUDA; here they are copied from the CPU to the CPU. */
  @ParameterizedTest
  @ValueSource(strings = {"cpu", "cuda:3"})
  void drawsThatAreMadeAheadAreThoseThatAreAskedFor(String source) {
    List<Generator> generators = generators(source);
    List<Generator> plain = generators(source);
    Random random = new Random(4);
    try (DrawsAhead ahead = new DrawsAhead(generators, Device.CPU)) {
      for (int i = 0; i < 60; i++) {
        DType dtype = random.nextInt(4) == 0 ? DType.FLOAT32 : DType.FLOAT64;
        long side = random.nextInt(6) == 0 ? 20 : 8;
        try (TensorScope _ = TensorScope.open()) {
          Tensor batch = ahead.randn(dtype, 3, side, side);
          assertThat(batch.shape()).containsExactly(SEEDS.length, 3, side, side);
          for (int k = 0; k < SEEDS.length; k++) {
            assertThat(Shapes.narrow(batch, 0, k, 1).toDoubles())
                .as("draw %s of image %s", i, k)
                .isEqualTo(plain.get(k).randn(dtype, 3, side, side).toDoubles());
          }
          if (random.nextInt(10) == 0) {
            ahead.discard();
            for (int k = 0; k < SEEDS.length; k++) {
              assertThat(generators.get(k).state()).isEqualTo(plain.get(k).state());
            }
          }
        }
      }
      try (TensorScope _ = TensorScope.open()) {
        assertThat(ahead.randn(DType.FLOAT32, 0).shape()).containsExactly(SEEDS.length, 0);
      }
    } finally {
      generators.forEach(Generator::close);
      plain.forEach(Generator::close);
    }
  }

  @Test
  void aDrawThatFailsOnItsThreadFailsWhereItIsAskedFor() {
    List<Generator> generators = generators("cuda:3");
    try (DrawsAhead ahead = new DrawsAhead(generators, Device.CPU);
        TensorScope _ = TensorScope.open()) {
      ahead.randn(DType.FLOAT64, 4);
      generators.get(2).close();
      assertThatThrownBy(() -> ahead.randn(DType.FLOAT64, 4))
          .isInstanceOf(TorchException.class)
          .hasMessage("this generator is closed");
    }
    generators.forEach(Generator::close);
  }

  private static List<Generator> generators(String source) {
    List<Generator> generators = new ArrayList<>();
    for (long seed : SEEDS) {
      generators.add(StackedGenerators.generator(Noise.parse(source), Device.CPU, seed));
    }
    return generators;
  }

  @Test
  void aSourceIsWhatItsTextSays() {
    for (String text : List.of("auto", "cpu", "cuda", "cuda:a100", "cuda:rtx3090", "cuda:17")) {
      assertThat(Noise.parse(text)).hasToString(text);
    }
    assertThat(Noise.parse("CUDA:864")).hasToString("cuda:a100");
    Device gpu = Device.cuda(1);
    assertThat(Noise.AUTO.on(Device.CPU)).hasToString("cpu");
    assertThat(Noise.AUTO.on(gpu)).hasToString("cuda");
    assertThat(Noise.CPU.on(gpu)).hasToString("cpu");
    assertThat(Noise.parse("cuda").on(Device.CPU)).hasToString("cuda:a100");
    assertThat(Noise.parse("cuda").on(gpu)).hasToString("cuda");
    assertThat(Noise.parse("cuda:v100").on(gpu)).hasToString("cuda:v100");
    for (String bad : List.of("", "gpu", "cuda:", "cuda:0", "cuda:t4", "cpu:1")) {
      assertThatThrownBy(() -> Noise.parse(bad)).isInstanceOf(OptionException.class);
    }
  }

  @Test
  void aDeviceThatIsNotThereIsRefused() {
    assertThatThrownBy(() -> StackedGenerators.of(Noise.AUTO, Device.cuda(99), 1, 2))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("cuda:99");
  }
}
