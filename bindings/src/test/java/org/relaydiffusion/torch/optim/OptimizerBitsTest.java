// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Parameter;
import org.relaydiffusion.torch.testing.TrainingBits;
import org.relaydiffusion.torch.testing.Weights;

/** {@link Sgd} and {@link AdamW} to the bits of five steps of PyTorch's. */
class OptimizerBitsTest {
  private static final int N = 19;
  private static final Map<String, int[]> BITS = TrainingBits.all();

  private static Weights weights() {
    float[] values = new float[N];
    for (int i = 0; i < N; i++) {
      values[i] = (float) ((7 * i % 13 - 6) / 8.0 + 0.01 * i);
    }
    return new Weights(values);
  }

  private static void step(Weights weights, Optimizer optimizer, int step) {
    float[] gradient = new float[N];
    for (int i = 0; i < N; i++) {
      gradient[i] = (float) (((5 * i + 3 * step) % 11 - 5) / 7.0 * 0.1 + 1e-6 * i);
    }
    weights.setGrad(0, gradient);
    optimizer.step(1e-2 * (step + 1));
  }

  private static Tensor one(Map<Integer, Tensor> state) {
    return Objects.requireNonNull(state.get(0));
  }

  private static void checkSgd(String name, SgdOptions options) {
    try (TensorScope _ = TensorScope.open();
        Weights weights = weights();
        Sgd sgd = new Sgd(weights.parameters(), options)) {
      for (int step = 0; step < 5; step++) {
        step(weights, sgd, step);
      }
      assertThat(TrainingBits.of(weights.value(0))).as(name).containsExactly(BITS.get(name));
      if (options.momentum() == 0) {
        assertThat(sgd.momenta()).isEmpty();
      } else {
        assertThat(TrainingBits.of(one(sgd.momenta())))
            .as(name)
            .containsExactly(BITS.get(name + ".momentum_buffer"));
      }
    }
  }

  @Test
  void sgdHasTheBitsOfPyTorch() {
    checkSgd("sgd", SgdOptions.DEFAULT);
    checkSgd("sgd decay", SgdOptions.DEFAULT.withWeightDecay(0.1));
    checkSgd("sgd momentum", SgdOptions.DEFAULT.withMomentum(0.9));
    checkSgd(
        "sgd dampened",
        SgdOptions.DEFAULT.withMomentum(0.9).withDampening(0.25).withWeightDecay(0.01));
    checkSgd(
        "sgd nesterov", SgdOptions.DEFAULT.withMomentum(0.8).withNesterov().withWeightDecay(0.01));
  }

  private static void checkAdamW(
      String name, AdamWOptions options, Function<List<Parameter>, AdamW> make, float tolerance) {
    try (TensorScope _ = TensorScope.open();
        Weights weights = weights();
        AdamW adam = make.apply(weights.parameters())) {
      for (int step = 0; step < 5; step++) {
        step(weights, adam, step);
      }
      Adam.State state = Objects.requireNonNull(adam.state().get(0));
      assertThat(state.step()).isEqualTo(5);
      check(name, weights.value(0), tolerance);
      check(name + ".exp_avg", state.expAvg(), tolerance);
      check(name + ".exp_avg_sq", state.expAvgSq(), tolerance);
      assertThat(options.weightDecay()).isPositive();
    }
  }

  private static void check(String name, Tensor actual, float tolerance) {
    int[] expected = Objects.requireNonNull(BITS.get(name));
    if (tolerance == 0) {
      assertThat(TrainingBits.of(actual)).as(name).containsExactly(expected);
      return;
    }
    float[] values = new float[expected.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.intBitsToFloat(expected[i]);
    }
    assertThat(actual.toFloats()).as(name).containsExactly(values, within(tolerance));
  }

  @Test
  void adamWHasTheBitsOfPyTorch() {
    AdamWOptions other = new AdamWOptions(new AdamOptions(0.8, 0.95, 1e-6), 0.3);
    AdamWOptions usual = AdamWOptions.DEFAULT;
    checkAdamW("adamw", usual, p -> AdamW.reference(p, usual), 0);
    checkAdamW("adamw decay", other, p -> AdamW.reference(p, other), 0);
    // The fused kernel rounds otherwise, in the last places of values below 1.
    checkAdamW("adamw", usual, p -> new AdamW(p, usual), 1e-6f);
    checkAdamW("adamw decay", other, p -> new AdamW(p, other), 1e-6f);
  }

  @Test
  void aResumedRunOfSgdGoesTheSameWay() {
    SgdOptions options = SgdOptions.DEFAULT.withMomentum(0.9);
    try (TensorScope _ = TensorScope.open();
        Weights weights = weights();
        Sgd first = new Sgd(weights.parameters(), options);
        Sgd second = new Sgd(weights.parameters(), options)) {
      for (int step = 0; step < 5; step++) {
        step(weights, step < 2 ? first : second, step);
        if (step == 1) {
          second.load(first.momenta());
        }
      }
      assertThat(TrainingBits.of(weights.value(0))).containsExactly(BITS.get("sgd momentum"));
    }
  }

  @Test
  void parametersWithoutAGradientArePassedOver() {
    try (TensorScope _ = TensorScope.open();
        Weights weights = new Weights(new float[] {1}, new float[] {2});
        Sgd sgd = new Sgd(weights.parameters(), SgdOptions.DEFAULT.withMomentum(0.9));
        AdamW adam = new AdamW(weights.parameters(), AdamWOptions.DEFAULT)) {
      weights.setGrad(1, 4);
      sgd.step(0.5);
      assertThat(weights.values()).isDeepEqualTo(new float[][] {{1}, {0}});
      assertThat(sgd.momenta().keySet()).containsExactly(1);
      adam.step(0.5);
      assertThat(weights.value(0).toFloats()).containsExactly(1);
      sgd.clearGradients();
      assertThat(weights.value(1).grad()).isNull();
    }
  }

  /** Values of another type than the moments, which a kernel refuses. */
  @Test
  void aStepOfAdamWThatIsRefusedDecaysNothing() {
    try (TensorScope _ = TensorScope.open();
        Weights fused = new Weights(new float[] {1});
        Weights plain = new Weights(new float[] {1});
        AdamW first = new AdamW(fused.parameters(), AdamWOptions.DEFAULT);
        AdamW second = AdamW.reference(plain.parameters(), AdamWOptions.DEFAULT)) {
      Map<Weights, AdamW> optimizers = Map.of(fused, first, plain, second);
      optimizers.forEach((weights, adam) -> {
        weights.setGrad(0, 4);
        adam.step(0.5);
        weights.to(DType.FLOAT64);
        Reduction.sum(weights.value(0)).backward();
        double before = weights.value(0).item();
        assertThatThrownBy(() -> adam.step(0.5)).isInstanceOf(TorchException.class);
        assertThat(weights.value(0).item()).isEqualTo(before);
      });
    }
  }

  @Test
  void whatCannotBeIsRefused() {
    assertThatThrownBy(() -> new Sgd(List.of(), SgdOptions.DEFAULT))
        .isInstanceOf(TorchException.class)
        .hasMessage("SGD was given no parameters");
    assertThatThrownBy(() -> SgdOptions.DEFAULT.withNesterov())
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("needs a momentum above 0");
    assertThatThrownBy(() -> SgdOptions.DEFAULT.withMomentum(-1))
        .hasMessage("SGD's momentum is 0 or more, not -1.0");
    assertThatThrownBy(() -> SgdOptions.DEFAULT.withDampening(Double.NaN))
        .hasMessageContaining("NaN");
    assertThatThrownBy(() -> new AdamWOptions(AdamOptions.DEFAULT, -0.1))
        .hasMessageContaining("-0.1");
    try (TensorScope _ = TensorScope.open();
        Weights weights = new Weights(new float[] {1});
        Sgd sgd = new Sgd(weights.parameters(), SgdOptions.DEFAULT)) {
      Tensor two = Torch.tensor(new float[] {1, 2});
      assertThatThrownBy(() -> sgd.load(Map.of(0, two))).hasMessageContaining("float32[2]");
      assertThatThrownBy(() -> sgd.load(Map.of(1, two))).hasMessageContaining("there are 1");
    }
  }
}
