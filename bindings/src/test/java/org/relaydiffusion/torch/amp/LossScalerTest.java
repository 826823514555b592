// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.amp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.testing.Weights;

/** The rules by which a loss is scaled. */
class LossScalerTest {
  private static final float INF = Float.POSITIVE_INFINITY;

  private static float[] grad(Weights w) {
    try (Tensor grad = Objects.requireNonNull(w.value(0).grad())) {
      return grad.toFloats();
    }
  }

  private static boolean unscale(LossScaler scaler, float gradient) {
    try (Weights w = new Weights(new float[1])) {
      w.setGrad(0, gradient);
      return scaler.unscale(w.parameters());
    }
  }

  @Test
  void aStaticFactorStaysAndLeavesGradientsAlone() {
    LossScaler scaler = new StaticLossScaler(8);
    try (Weights w = new Weights(new float[2])) {
      w.setGrad(0, 3, INF);
      assertThat(scaler.unscale(w.parameters())).isTrue();
      assertThat(grad(w)).containsExactly(3, INF);
    }
    assertThat(scaler.scale()).isEqualTo(8);
    scaler.restore(new LossScaler.State(4, 1));
    assertThat(scaler.state()).isEqualTo(new LossScaler.State(8, 0));
  }

  @Test
  void aDynamicFactorIsTakenOutOfTheGradients() {
    LossScaler scaler = new DynamicLossScaler(DynamicLossScaler.Options.DEFAULT);
    assertThat(scaler.scale()).isEqualTo(65536);
    try (Weights w = new Weights(new float[2])) {
      w.setGrad(0, 65536, -131072);
      assertThat(scaler.unscale(w.parameters())).isTrue();
      assertThat(grad(w)).containsExactly(1, -2);
    }
  }

  @Test
  void growsAfterEnoughGoodStepsAndShrinksAfterABadOne() {
    var scaler = new DynamicLossScaler(new DynamicLossScaler.Options(16, 2, 0.25, 3));
    assertThat(unscale(scaler, 1)).isTrue();
    assertThat(unscale(scaler, 1)).isTrue();
    assertThat(scaler.state()).isEqualTo(new LossScaler.State(16, 2));
    assertThat(unscale(scaler, 1)).isTrue();
    assertThat(scaler.state()).isEqualTo(new LossScaler.State(32, 0));
    assertThat(unscale(scaler, 1)).isTrue();
    assertThat(unscale(scaler, INF)).isFalse();
    assertThat(scaler.state()).as("begins to count anew").isEqualTo(new LossScaler.State(8, 0));
    assertThat(unscale(scaler, Float.NaN)).isFalse();
    assertThat(scaler.scale()).isEqualTo(2);
  }

  @Test
  void staysAPositiveFloat32() {
    var options = new DynamicLossScaler.Options(0x1p127, 2, 0.5, 1);
    var scaler = new DynamicLossScaler(options);
    assertThat(unscale(scaler, 1)).isTrue();
    assertThat(scaler.state()).isEqualTo(new LossScaler.State(0x1p127, 0));
    for (int i = 0; i < 300; i++) {
      assertThat(unscale(scaler, INF)).isFalse();
    }
    assertThat(scaler.scale()).isEqualTo(Float.MIN_NORMAL);
    assertThat(unscale(scaler, 0)).isTrue();
  }

  @Test
  void goesOnFromItsState() {
    var options = new DynamicLossScaler.Options(16, 2, 0.5, 3);
    var first = new DynamicLossScaler(options);
    unscale(first, 1);
    unscale(first, 1);
    var second = new DynamicLossScaler(options);
    second.restore(first.state());
    unscale(second, 1);
    assertThat(second.state()).isEqualTo(new LossScaler.State(32, 0));
    assertThatThrownBy(() -> second.restore(new LossScaler.State(0, 0)))
        .isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> second.restore(new LossScaler.State(Double.NaN, 0)))
        .isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> second.restore(new LossScaler.State(1, -1)))
        .isInstanceOf(OptionException.class);
  }

  @Test
  void constantsOutOfRangeAreRefused() {
    for (double bad : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new StaticLossScaler(bad)).isInstanceOf(OptionException.class);
      assertThatThrownBy(() -> new DynamicLossScaler.Options(bad, 2, 0.5, 1))
          .isInstanceOf(OptionException.class);
    }
    assertThatThrownBy(() -> new DynamicLossScaler.Options(1, 1, 0.5, 1))
        .isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> new DynamicLossScaler.Options(1, 2, 1, 1))
        .isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> new DynamicLossScaler.Options(1, 2, 0.5, 0))
        .isInstanceOf(OptionException.class);
  }
}
