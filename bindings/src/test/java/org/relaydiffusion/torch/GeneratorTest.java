// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.ffi.RandomAbi;

/** A generator's state goes out and in, and what is no state is refused before LibTorch sees it. */
class GeneratorTest {
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

  @ParameterizedTest
  @CsvSource({"1", "3", "16", "100", "625"})
  void goesOnFromItsStateWithTheSameDraws(int before) {
    try (Generator g = Generator.seeded(42);
        Generator other = Generator.seeded(7)) {
      // An odd number of short draws leaves a cached second normal behind, which is state too.
      g.randn(DType.FLOAT32, before);
      g.randn(DType.FLOAT64, before);
      byte[] state = g.state();
      assertThat(state).hasSize(5056);
      double[] normals = g.randn(DType.FLOAT64, 5).toDoubles();
      float[] uniforms = g.rand(DType.FLOAT32, 1000).toFloats();
      long number = g.randomInt64();
      other.restore(state);
      assertThat(other.state()).isEqualTo(state);
      assertThat(other.randn(DType.FLOAT64, 5).toDoubles()).isEqualTo(normals);
      assertThat(other.rand(DType.FLOAT32, 1000).toFloats()).isEqualTo(uniforms);
      assertThat(other.randomInt64()).isEqualTo(number);
      assertThat(g.restore(state).randn(DType.FLOAT64, 5).toDoubles()).isEqualTo(normals);
      g.seed(42);
      assertThat(g.state()).isEqualTo(Generator.global().seed(42).state());
    }
  }

  @Test
  void dropoutFollowsTheStateOfTheGlobalGenerator() {
    Tensor x = Torch.ones(DType.FLOAT32, 1000);
    byte[] state = Generator.global(Device.CPU).seed(3).state();
    float[] first = Functional.dropout(x, 0.25).toFloats();
    float[] second = Functional.dropout(x, 0.25).toFloats();
    assertThat(second).isNotEqualTo(first);
    Generator.global().restore(state);
    assertThat(Functional.dropout(x, 0.25).toFloats()).isEqualTo(first);
    assertThat(Generator.global().device()).isEqualTo(Device.CPU);
  }

  @Test
  void operatorsThatAreGivenNoGeneratorDrawWhatItsFunctionsDraw() {
    var byOperators = new RandomSource.DefaultOf(Device.CPU, RandomAbi.defaultGenerator());
    Generator global = Generator.global();
    byte[] state = global.seed(5).state();
    float[] normals = global.randn(DType.FLOAT32, 3, 7).toFloats();
    double[] uniforms = global.rand(DType.FLOAT64, 4).toDoubles();
    long[] integers = global.randint(1000, 9).toLongs();
    long wide = global.randomInt64();
    global.restore(state);
    long[] sizes = {3, 7};
    assertThat(byOperators.draw(RandomAbi.Draw.NORMAL, DType.FLOAT32, sizes).toFloats())
        .isEqualTo(normals);
    assertThat(byOperators.draw(RandomAbi.Draw.UNIFORM, DType.FLOAT64, new long[] {4}).toDoubles())
        .isEqualTo(uniforms);
    assertThat(byOperators.randint(1000, new long[] {9}).toLongs()).isEqualTo(integers);
    assertThat(byOperators.randomInt64()).isEqualTo(wide);
  }

  @Test
  void theProcessesGeneratorDrawsWhatOneOfItsOwnDraws() {
    Generator global = Generator.global().seed(5);
    try (Generator own = Generator.seeded(5)) {
      assertThat(global.randperm(50).toLongs()).isEqualTo(own.randperm(50).toLongs());
      assertThat(global.randomInt64()).isEqualTo(own.randomInt64());
      assertThat(global.state()).isEqualTo(own.state());
    }
  }

  @Test
  void whatIsNoStateIsRefusedAndChangesNothing() {
    try (Generator g = Generator.seeded(1)) {
      byte[] state = g.state();
      byte[] notSeeded = state.clone();
      Arrays.fill(notSeeded, 12, 16, (byte) 0);
      byte[] beyondTheTwister = state.clone();
      beyondTheTwister[17] = 3;
      byte[] nothingLeft = state.clone();
      Arrays.fill(nothingLeft, 8, 12, (byte) 0);
      byte[] readsBeyondTheTwister = state.clone();
      readsBeyondTheTwister[8] = (byte) 200;
      readsBeyondTheTwister[16] = (byte) 255;
      readsBeyondTheTwister[17] = 1;
      byte[] noTruthValue = state.clone();
      noTruthValue[5052] = 7;
      for (byte[] bad :
          new byte[][] {
            readsBeyondTheTwister,
            noTruthValue,
            {},
            new byte[16],
            new byte[5056],
            notSeeded,
            beyondTheTwister,
            nothingLeft,
            Arrays.copyOf(state, 5055),
            Arrays.copyOf(state, 5057)
          }) {
        assertThatThrownBy(() -> g.restore(bad))
            .isInstanceOf(TorchException.class)
            .hasMessageContaining("a generator on cpu");
        assertThat(g.state()).isEqualTo(state);
      }
    }
  }

  @Test
  void everyStateThatAGeneratorComesToIsOne() {
    try (Generator g = Generator.seeded(3)) {
      for (int i = 0; i < 700; i++) {
        Generator.checkState(g.state(), Device.CPU);
        switch (i % 3) {
          case 0 -> g.randn(DType.FLOAT32, i % 20 + 1).close();
          case 1 -> g.rand(DType.FLOAT64, i % 7 + 1).close();
          default -> g.randint(10, 1).close();
        }
      }
    }
  }

  @Test
  void aPhiloxStateIsASeedAndAnOffsetInFours() {
    Device cuda = Device.cuda(0);
    byte[] state = GeneratorState.philox(-2);
    GeneratorState.check(state, cuda);
    assertThat(Arrays.copyOf(state, 8)).isEqualTo(new byte[] {-2, -1, -1, -1, -1, -1, -1, -1});
    state[8] = 3;
    assertThatThrownBy(() -> GeneratorState.check(state, cuda))
        .hasMessage("these 16 bytes are no state of a generator on cuda:0");
    assertThatThrownBy(() -> GeneratorState.check(new byte[5056], cuda))
        .hasMessageContaining("has 16 bytes, not 5056");
  }

  @Test
  void aDeviceThatIsNotThereHasNoGenerator() {
    assertThatThrownBy(() -> Generator.global(Device.cuda(99)))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("cuda:99");
  }

  @Test
  void aClosedGeneratorHasNoState() {
    Generator g = Generator.seeded(1);
    byte[] state = g.state();
    g.close();
    assertThatThrownBy(g::state).isInstanceOf(TorchException.class);
    assertThatThrownBy(() -> g.restore(state)).isInstanceOf(TorchException.class);
    assertThatThrownBy(g::device).isInstanceOf(TorchException.class);
  }
}
