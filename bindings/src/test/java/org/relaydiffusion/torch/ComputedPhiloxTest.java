// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;

/** Generators that compute on the CPU what CUDA draws; the fixtures' numbers are held elsewhere. */
class ComputedPhiloxTest {
  private TensorScope scope = TensorScope.open();

  @BeforeEach
  void open() {
    scope.close();
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @Test
  void itsNumbersHaveTheirDistributions() {
    Generator g = Generator.philox(3, new LaunchGrid(20));
    double[] normals = g.randn(DType.FLOAT64, 100_000).toDoubles();
    double mean = Arrays.stream(normals).average().orElseThrow();
    double square = Arrays.stream(normals).map(x -> x * x).average().orElseThrow();
    assertThat(mean).isCloseTo(0, within(0.02));
    assertThat(square).isCloseTo(1, within(0.03));
    for (DType dtype : List.of(DType.FLOAT32, DType.FLOAT64, DType.BFLOAT16)) {
      double[] uniform = g.rand(dtype, 100_000).to(DType.FLOAT64).toDoubles();
      assertThat(Arrays.stream(uniform)).allMatch(x -> x >= 0 && x < 1);
      assertThat(Arrays.stream(uniform).average().orElseThrow()).isCloseTo(0.5, within(0.01));
    }
    long[] small = g.randint(7, 10_000).toLongs();
    assertThat(Arrays.stream(small).distinct().sorted())
        .containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L);
    assertThat(Arrays.stream(g.randint(1L << 40, 1000).toLongs()))
        .allMatch(k -> k >= 0 && k < 1L << 40)
        .anyMatch(k -> k > 1L << 38);
    assertThat(g.randomInt64()).isNotNegative().isNotEqualTo(g.randomInt64());
    assertThat(g.randn(DType.FLOAT32, 0).numel()).isZero();
  }

  @Test
  void halfPrecisionIsFloat32Rounded() {
    float[] single = Generator.philox(9, LaunchGrid.A100).randn(DType.FLOAT32, 5000).toFloats();
    Tensor half = Generator.philox(9, LaunchGrid.A100).randn(DType.BFLOAT16, 5000);
    assertThat(half.toDoubles())
        .isEqualTo(Torch.tensor(single, 5000).to(DType.BFLOAT16).toDoubles());
  }

  @Test
  void goesOnFromItsState() {
    Generator g = Generator.philox(-1, LaunchGrid.V100);
    assertThat(g.device()).isEqualTo(Device.CPU);
    g.randn(DType.FLOAT64, 3, 100, 100);
    byte[] state = g.state();
    assertThat(state).isEqualTo(GeneratorState.philox(-1, 4));
    double[] next = g.randn(DType.FLOAT64, 500).toDoubles();
    long integer = g.randomInt64();
    Generator other = Generator.philox(5, LaunchGrid.V100).restore(state);
    assertThat(other.randn(DType.FLOAT64, 500).toDoubles()).isEqualTo(next);
    assertThat(other.randomInt64()).isEqualTo(integer);
    g.seed(-1).randn(DType.FLOAT64, 3, 100, 100);
    assertThat(g.randn(DType.FLOAT64, 500).toDoubles()).isEqualTo(next);
    byte[] odd = GeneratorState.philox(1, 3);
    for (byte[] bad : new byte[][] {odd, {}, new byte[5056]}) {
      assertThatThrownBy(() -> g.restore(bad))
          .isInstanceOf(TorchException.class)
          .hasMessageContaining("a generator that computes CUDA's numbers");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 864})
  void rowsFilledTogetherAreThoseDrawnAlone(int blocks) {
    LaunchGrid grid = new LaunchGrid(blocks);
    for (DType dtype : List.of(DType.FLOAT32, DType.FLOAT64, DType.FLOAT16)) {
      // One of them is the CPU's own: any generator on the CPU can fill a row.
      List<Generator> generators =
          List.of(Generator.philox(1, grid), Generator.seeded(2), Generator.philox(3, grid));
      Tensor batch = Torch.empty(dtype, Device.CPU, 3, 2, 5000);
      Generator.fillNormal(generators, batch);
      Generator own = Generator.seeded(2);
      List<Tensor> alone =
          List.of(
              Generator.philox(1, grid).randn(dtype, 2, 5000),
              own.randn(dtype, 2, 5000),
              Generator.philox(3, grid).randn(dtype, 2, 5000));
      assertThat(batch.toDoubles()).isEqualTo(Torch.stack(alone, 0).toDoubles());
      assertThat(GeneratorState.philoxOffset(generators.getFirst().state()))
          .isPositive()
          .isEqualTo(GeneratorState.philoxOffset(generators.getLast().state()));
      generators.forEach(Generator::close);
      own.close();
    }
  }

  @Test
  void onlyDenseRowsOnTheCpuAreFilled() {
    List<Generator> one = List.of(Generator.philox(1, LaunchGrid.A100));
    for (Tensor wrong :
        List.of(
            Torch.zeros(DType.FLOAT32, 2, 3),
            Torch.zeros(DType.INT64, 1, 3),
            Torch.zeros(DType.FLOAT32),
            Shapes.transpose(Torch.zeros(DType.FLOAT32, 1, 3, 4), 1, 2),
            Torch.zeros(DType.FLOAT32, 1, 3).requiresGrad(true))) {
      assertThatThrownBy(() -> Generator.fillNormal(one, wrong))
          .isInstanceOf(TorchException.class)
          .hasMessageStartingWith("1 generators fill a contiguous floating-point tensor");
    }
    Generator.fillNormal(one, Torch.zeros(DType.FLOAT32, 1, 0));
    Generator.fillNormal(List.of(), Torch.zeros(DType.FLOAT32, 0, 3));
  }

  @Test
  void whatItCannotDrawIsRefused() {
    Generator g = Generator.philox(1, LaunchGrid.A100);
    assertThatThrownBy(() -> g.randperm(5)).isInstanceOf(TorchException.class);
    byte[] state = g.state();
    g.close();
    assertThatThrownBy(g::state).isInstanceOf(TorchException.class).hasMessageContaining("closed");
    assertThatThrownBy(() -> g.restore(state)).isInstanceOf(TorchException.class);
  }

  @Test
  void launchGridsHaveNames() {
    assertThat(LaunchGrid.parse("A100")).isEqualTo(LaunchGrid.A100).hasToString("a100");
    assertThat(LaunchGrid.parse("h200")).isEqualTo(LaunchGrid.H100).hasToString("h100");
    assertThat(LaunchGrid.parse("492")).isEqualTo(LaunchGrid.RTX_3090).hasToString("rtx3090");
    assertThat(LaunchGrid.parse("17")).isEqualTo(new LaunchGrid(17)).hasToString("17");
    for (String bad : List.of("", "0", "99999999", "-1", "t4", "1e3")) {
      assertThatThrownBy(() -> LaunchGrid.parse(bad)).isInstanceOf(OptionException.class);
    }
  }

  @Test
  void aDeviceThatIsNotThereHasNoGeneratorOfItsOwn() {
    assertThatThrownBy(() -> Generator.seeded(1, Device.cuda(99)))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("cuda:99");
    try (Generator g = Generator.seeded(1, Device.CPU);
        Generator same = Generator.seeded(1)) {
      assertThat(g.randn(DType.FLOAT32, 9).toFloats())
          .isEqualTo(same.randn(DType.FLOAT32, 9).toFloats());
    }
  }
}
