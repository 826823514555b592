// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.io.LeasedArena;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;
import org.relaydiffusion.torch.testing.Weights;

/** Adam against its formula in Java's double arithmetic, in both kernels. */
class AdamTest {
  // float32 has 6e-8 of relative precision; a step rounds a handful of times.
  private static final float TOLERANCE = 1e-6f;

  /**
   * One vector with its moments, as the paper's algorithm 1 and PyTorch's documentation have it.
   */
  private static final class Formula {
    private final double[] value;
    private final double[] m;
    private final double[] v;
    private int step;

    Formula(float[] start) {
      value = new double[start.length];
      Arrays.setAll(value, i -> start[i]);
      m = new double[start.length];
      v = new double[start.length];
    }

    void step(float[] g, double learningRate, AdamOptions o) {
      step++;
      for (int i = 0; i < value.length; i++) {
        m[i] = o.beta1() * m[i] + (1 - o.beta1()) * g[i];
        v[i] = o.beta2() * v[i] + (1 - o.beta2()) * g[i] * g[i];
        double mHat = m[i] / (1 - Math.pow(o.beta1(), step));
        double vHat = v[i] / (1 - Math.pow(o.beta2(), step));
        value[i] -= learningRate * mHat / (Math.sqrt(vHat) + o.eps());
      }
    }
  }

  private static float[] random(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static void assertClose(float[] actual, double[] expected, String what) {
    assertThat(actual).as(what).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat((double) actual[i])
          .as("%s[%s]", what, i)
          .isCloseTo(expected[i], within(TOLERANCE * Math.max(1, Math.abs(expected[i]))));
    }
  }

  @ParameterizedTest
  @EnumSource(AdamKernel.class)
  void followsTheFormulaAndPassesOverWhatHasNoGradient(AdamKernel kernel) {
    Random random = new Random(1);
    float[][] start = {random(random, 33), random(random, 1), random(random, 7), {4}};
    AdamOptions options = new AdamOptions(0.8, 0.95, 1e-3);
    Formula[] formulas = Arrays.stream(start).map(Formula::new).toArray(Formula[]::new);
    try (Weights w = new Weights(start);
        Adam adam = new Adam(w.parameters(), options, kernel)) {
      for (int step = 0; step < 7; step++) {
        double learningRate = step == 0 ? 0 : 0.01 * step;
        adam.clearGradients();
        for (int i = 0; i < 3; i++) {
          // Parameter 1 has a gradient at every second step only, and parameter 3 never.
          if (i != 1 || step % 2 == 1) {
            float[] g = random(random, start[i].length);
            w.setGrad(i, g);
            formulas[i].step(g, learningRate, options);
          }
        }
        adam.step(learningRate);
        for (int i = 0; i < 4; i++) {
          assertClose(w.value(i).toFloats(), formulas[i].value, "parameter " + i);
        }
      }
      Map<Integer, Adam.State> state = adam.state();
      assertThat(state).containsOnlyKeys(0, 1, 2);
      state.forEach((i, s) -> {
        assertThat(s.step()).isEqualTo(i == 1 ? 3 : 7);
        assertClose(s.expAvg().toFloats(), formulas[i].m, "expAvg " + i);
        assertClose(s.expAvgSq().toFloats(), formulas[i].v, "expAvgSq " + i);
      });
      assertThat(w.value(0).requiresGrad()).isTrue();
    }
  }

  @Test
  void thisLibTorchHasTheFusedKernel() {
    for (DType type : List.of(DType.FLOAT32, DType.FLOAT64, DType.BFLOAT16)) {
      assertThat(AdamKernel.best(type, Device.CPU)).isEqualTo(AdamKernel.FUSED);
    }
  }

  @ParameterizedTest
  @EnumSource(AdamKernel.class)
  void goesOnFromItsStateToTheBit(AdamKernel kernel) {
    Random random = new Random(2);
    float[] start = random(random, 20);
    float[][] gradients = new float[4][];
    Arrays.setAll(gradients, _ -> random(random, 20));
    try (Weights a = new Weights(start, new float[] {1});
        Adam first = new Adam(a.parameters(), AdamOptions.DEFAULT, kernel);
        Weights b = new Weights(start, new float[] {1});
        Adam second = new Adam(b.parameters(), AdamOptions.DEFAULT, kernel)) {
      for (int step = 0; step < 4; step++) {
        a.setGrad(0, gradients[step]);
        first.step(0.1);
        if (step == 1) {
          second.load(first.state());
          b.value(0).detach().copyFrom(a.value(0)).close();
        } else if (step > 1) {
          b.setGrad(0, gradients[step]);
          second.step(0.1);
        }
      }
      assertThat(b.values()).isDeepEqualTo(a.values());
      assertThat(second.state()).containsOnlyKeys(0);
      second.load(second.state());
      assertThat(Objects.requireNonNull(second.state().get(0)).step()).isEqualTo(4);
      second.load(Map.of());
      assertThat(second.state()).isEmpty();
    }
  }

  @Test
  void gradientsMayLieInMemoryOtherwiseThanTheirParameter() {
    try (Weight2d row = new Weight2d(MemoryFormat.CONTIGUOUS);
        Weight2d last = new Weight2d(MemoryFormat.CHANNELS_LAST);
        Adam a = new Adam(row.parameters(), AdamOptions.DEFAULT);
        Adam b = new Adam(last.parameters(), AdamOptions.DEFAULT);
        TensorScope _ = TensorScope.open()) {
      Tensor gradient = Torch.arange(2 * 3 * 4 * 5, DType.FLOAT32).reshape(2, 3, 4, 5).add(-7);
      for (int step = 0; step < 3; step++) {
        row.weight.value().setGrad(Shapes.contiguous(gradient, MemoryFormat.CHANNELS_LAST));
        last.weight.value().setGrad(gradient);
        a.step(0.1);
        b.step(0.1);
      }
      assertThat(last.weight.value().strides()).containsExactly(60, 1, 15, 3);
      assertThat(Objects.requireNonNull(b.state().get(0)).expAvg().strides())
          .containsExactly(60, 1, 15, 3);
      assertThat(last.weight.value().toFloats()).isEqualTo(row.weight.value().toFloats());
      b.load(a.state());
      a.step(0.1);
      b.step(0.1);
      assertThat(last.weight.value().toFloats()).isEqualTo(row.weight.value().toFloats());
    }
  }

  private static final class Weight2d extends Module {
    final Parameter weight =
        parameter("weight", (_, s) -> Torch.zeros(DType.FLOAT32, s), 2, 3, 4, 5);

    Weight2d(MemoryFormat format) {
      try (Tensor ones = Torch.ones(DType.FLOAT32, 2, 3, 4, 5)) {
        weight.set(Shapes.contiguous(ones, format).requiresGrad(true));
      }
    }
  }

  @Test
  void aStateThatDoesNotFitIsRefusedAndChangesNothing() {
    try (TensorScope _ = TensorScope.open();
        Weights w = new Weights(new float[] {1, 2});
        Adam adam = new Adam(w.parameters(), AdamOptions.DEFAULT)) {
      w.setGrad(0, 1, 1);
      adam.step(0.1);
      Tensor two = Torch.ones(DType.FLOAT32, 2);
      Tensor three = Torch.ones(DType.FLOAT32, 3);
      assertThatThrownBy(() -> adam.load(Map.of(1, new Adam.State(1, two, two))))
          .isInstanceOf(TorchException.class)
          .hasMessage("Adam's state is of a parameter 1, but there are 1");
      assertThatThrownBy(() -> adam.load(Map.of(0, new Adam.State(1, two, three))))
          .isInstanceOf(TorchException.class)
          .hasMessageContaining("parameter 0 (0) is float32[3]");
      assertThatThrownBy(() -> adam.load(Map.of(0, new Adam.State(-1, two, two))))
          .isInstanceOf(TorchException.class);
      assertThat(Objects.requireNonNull(adam.state().get(0)).step()).isEqualTo(1);
    }
  }

  @Test
  void parametersThatCannotBeChangedAreRefused() {
    assertThatThrownBy(() -> new Adam(List.of(), AdamOptions.DEFAULT))
        .isInstanceOf(TorchException.class);
    try (Weights w = new Weights(new float[] {1, 2}, new float[] {1})) {
      w.parameters().get(1).set(Torch.ones(DType.FLOAT64, 1));
      assertThatThrownBy(() -> new Adam(w.parameters(), AdamOptions.DEFAULT))
          .isInstanceOf(TorchException.class)
          .hasMessage(
              "Adam changes parameters of one type on one device: 0 is float32[2], 1 is"
                  + " float64[1]");
    }
  }

  @ParameterizedTest
  @EnumSource(AdamKernel.class)
  void readOnlyValuesAreRefusedAndTheStepIsNotCounted(AdamKernel kernel) {
    try (Arena arena = LeasedArena.open();
        Weights w = new Weights(new float[] {1, 2});
        Adam adam = new Adam(w.parameters(), AdamOptions.DEFAULT, kernel)) {
      MemorySegment mapped = arena.allocate(8, 4).asReadOnly();
      Parameter p = w.parameters().getFirst();
      p.set(Torch.fromData(new TensorData(DType.FLOAT32, new long[] {2}, new long[] {1}, mapped)));
      w.setGrad(0, 1, 1);
      assertThatThrownBy(() -> adam.step(0.1))
          .isInstanceOf(TorchException.class)
          .hasMessageContaining("read-only");
      assertThat(adam.state()).isEmpty();
      p.close();
    }
  }

  @Test
  void constantsOutOfRangeAreRefused() {
    for (double bad : new double[] {-0.1, 1, Double.NaN}) {
      assertThatThrownBy(() -> new AdamOptions(bad, 0.9, 0)).isInstanceOf(OptionException.class);
      assertThatThrownBy(() -> new AdamOptions(0.9, bad, 0)).isInstanceOf(OptionException.class);
    }
    assertThatThrownBy(() -> new AdamOptions(0.9, 0.9, -1)).isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> new AdamOptions(0.9, 0.9, Double.NaN))
        .isInstanceOf(OptionException.class);
  }
}
