// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

class SlerpTest {
  private static float[] normal(long seed, int length) {
    Random random = new Random(seed);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static float[] between(float[] from, float[] to, double t) {
    try (var _ = TensorScope.open()) {
      return Slerp.interpolate(Torch.tensor(from), Torch.tensor(to), t).toFloats();
    }
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  private static double norm(float[] a) {
    return Math.sqrt(dot(a, a));
  }

  private static double angle(float[] a, float[] b) {
    return Math.acos(dot(a, b) / norm(a) / norm(b));
  }

  @Test
  void aQuarterTurnHasTheKnownPoints() {
    float[] right = {2, 0};
    float[] up = {0, 2};
    assertThat(between(right, up, 1.0 / 3))
        .containsExactly(new float[] {(float) Math.sqrt(3), 1}, within(1e-6f));
    assertThat(between(right, up, 0.5))
        .containsExactly(new float[] {(float) Math.sqrt(2), (float) Math.sqrt(2)}, within(1e-6f));
  }

  @Test
  void theDirectionTurnsAtConstantSpeedAndTheNormIsLinear() {
    float[] from = normal(1, 3 * 16 * 16);
    float[] to = normal(2, 3 * 16 * 16);
    for (int i = 0; i < to.length; i++) {
      to[i] *= 1.5f;
    }
    double whole = angle(from, to);
    for (double t : new double[] {0.1, 0.25, 0.5, 0.8}) {
      float[] middle = between(from, to, t);
      // Results are rounded to float32; a linear interpolation would miss the norm by a third.
      assertThat(angle(from, middle)).isCloseTo(t * whole, within(1e-6));
      assertThat(angle(middle, to)).isCloseTo((1 - t) * whole, within(1e-6));
      assertThat(norm(middle))
          .isCloseTo((1 - t) * norm(from) + t * norm(to), within(1e-5 * norm(to)));
    }
  }

  @Test
  void theEndsAreExact() {
    float[] from = normal(3, 192);
    float[] to = normal(4, 192);
    assertThat(between(from, to, 0)).isEqualTo(from);
    assertThat(between(from, to, 1)).isEqualTo(to);
    assertThat(between(from, from, 0)).isEqualTo(from);
    assertThat(between(from, new float[192], 1)).isEqualTo(new float[192]);
  }

  @Test
  void bothDirectionsHaveTheSamePoints() {
    float[] from = normal(5, 192);
    float[] to = normal(6, 192);
    assertThat(between(from, to, 0.25)).isEqualTo(between(to, from, 0.75));
  }

  @Test
  void parallelOppositeAndZeroLatentsAreInterpolatedLinearly() {
    float[] one = normal(7, 48);
    float[] twice = one.clone();
    float[] opposite = one.clone();
    for (int i = 0; i < one.length; i++) {
      twice[i] = 2 * one[i];
      opposite[i] = -one[i];
    }
    float[] expected = new float[48];
    for (int i = 0; i < one.length; i++) {
      expected[i] = (float) (0.75 * one[i] + 0.25 * twice[i]);
    }
    assertThat(between(one, twice, 0.25)).isEqualTo(expected);
    assertThat(between(one, opposite, 0.5)).containsOnly(0f);
    assertThat(between(new float[48], twice, 0.5)).isEqualTo(one);
    assertThat(between(new float[48], new float[48], 0.5)).containsOnly(0f);
  }

  @Test
  void nearTheThresholdBothFormulasAgree() {
    float[] from = normal(8, 768);
    for (float away : new float[] {0.5e-4f, 0.9e-4f, 1.1e-4f, 2e-4f}) {
      float[] to = from.clone();
      float[] aside = normal(9, 768);
      for (int i = 0; i < to.length; i++) {
        to[i] += away * aside[i];
      }
      float[] found = between(from, to, 0.5);
      for (int i = 0; i < to.length; i++) {
        // Two roundings to float32, of the test's mean and of the result.
        assertThat(found[i]).isCloseTo((from[i] + to[i]) / 2, within(2 * Math.ulp(from[i])));
      }
    }
  }

  @Test
  void shapeDtypeAndLayoutAreKept() {
    try (var _ = TensorScope.open()) {
      Tensor from = Torch.tensor(normal(10, 24), 2, 3, 4);
      Tensor to = Torch.tensor(normal(11, 24), 2, 4, 3).transpose(1, 2);
      Tensor middle = Slerp.interpolate(from, to, 0.5);
      assertThat(middle.shape()).containsExactly(2, 3, 4);
      assertThat(middle.dtype()).isEqualTo(DType.FLOAT32);
      assertThat(middle.toFloats())
          .isEqualTo(between(from.toFloats(), to.contiguous().toFloats(), 0.5));
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.001, 1.001, Double.NaN, Double.POSITIVE_INFINITY})
  void aParameterOutsideIsRefused(double t) {
    assertThatThrownBy(() -> between(normal(1, 3), normal(2, 3), t))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("t must be from 0 to 1, but found " + t);
  }

  @Test
  void latentsThatDoNotMatchAreRefused() {
    try (var _ = TensorScope.open()) {
      Tensor small = Torch.tensor(normal(1, 3), 3, 1, 1);
      Tensor large = Torch.tensor(normal(1, 12), 3, 2, 2);
      assertThatThrownBy(() -> Slerp.interpolate(small, large, 0.5))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("float32[3, 1, 1] and float32[3, 2, 2]");
      Tensor wide = small.to(DType.FLOAT64);
      assertThatThrownBy(() -> Slerp.interpolate(wide, wide, 0.5))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("must be float32");
    }
  }

  @Test
  void latentsAreNotModified() {
    float[] from = normal(12, 12);
    float[] to = normal(13, 12);
    try (var _ = TensorScope.open()) {
      Tensor a = Torch.tensor(from, 3, 2, 2);
      Tensor b = Torch.tensor(to, 3, 2, 2);
      float[] copy = Arrays.copyOf(from, 12);
      Slerp.interpolate(a, b, 0.3);
      assertThat(a.toFloats()).isEqualTo(copy);
      assertThat(b.toFloats()).isEqualTo(to);
    }
  }
}
