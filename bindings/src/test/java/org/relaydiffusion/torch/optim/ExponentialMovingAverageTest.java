// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.Foreach;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.testing.Weights;

/** The average moves as lerp does, whatever the share of the past. */
class ExponentialMovingAverageTest {
  private static float[] random(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(
      doubles = {0, 1e-31, 0.0034194973816182184, 0.3, 0.5, 0.50001, 0.9447994303495587, 0.9999, 1})
  void isTheLerpFromTheTrainedValuesToTheBit(double beta) {
    Random random = new Random(3);
    float[][] past = {random(random, 100), random(random, 3)};
    float[][] now = {random(random, 100), random(random, 3)};
    try (Weights average = new Weights(past);
        Weights trained = new Weights(now);
        TensorScope _ = TensorScope.open()) {
      List<Tensor> lerp;
      try (GradMode _ = GradMode.noGrad()) {
        lerp =
            Foreach.lerp(
                List.of(trained.value(0), trained.value(1)),
                List.of(average.value(0), average.value(1)),
                beta);
      }
      ExponentialMovingAverage.update(average.parameters(), trained.parameters(), beta);
      assertThat(trained.values()).isDeepEqualTo(now);
      for (int i = 0; i < 2; i++) {
        assertThat(average.value(i).toFloats()).isEqualTo(lerp.get(i).toFloats());
        for (int k = 0; k < past[i].length; k++) {
          // Three roundings of numbers below 4.
          assertThat((double) average.value(i).toFloats()[k])
              .isCloseTo(now[i][k] + beta * (past[i][k] - now[i][k]), within(1e-6));
        }
      }
    }
  }

  @Test
  void theFirstStepCopies() {
    try (Weights average = new Weights(new float[] {1, 2});
        Weights trained = new Weights(new float[] {3, 4})) {
      ExponentialMovingAverage.update(average.parameters(), trained.parameters(), 0);
      assertThat(average.values()).isDeepEqualTo(new float[][] {{3, 4}});
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    try (Weights average = new Weights(new float[] {1, 2});
        Weights trained = new Weights(new float[] {3, 4}, new float[] {5});
        Weights longer = new Weights(new float[] {3, 4, 5})) {
      assertThatThrownBy(() ->
              ExponentialMovingAverage.update(average.parameters(), trained.parameters(), 0.9))
          .isInstanceOf(TorchException.class)
          .hasMessage("1 parameters cannot follow 2");
      assertThatThrownBy(
              () -> ExponentialMovingAverage.update(average.parameters(), longer.parameters(), 0.9))
          .isInstanceOf(TorchException.class);
      for (double beta : new double[] {-0.1, 1.1, Double.NaN}) {
        assertThatThrownBy(() ->
                ExponentialMovingAverage.update(average.parameters(), average.parameters(), beta))
            .isInstanceOf(OptionException.class);
      }
      assertThat(average.values()).isDeepEqualTo(new float[][] {{1, 2}});
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.0034194973816182184, 0.3, 0.9447994303495587, 0.9999, 1})
  void fusedItDiffersInTheLastBitAtMost(double beta) {
    Random random = new Random(3);
    float[][] past = {random(random, 100), random(random, 3)};
    float[][] now = {random(random, 100), random(random, 3)};
    try (Weights average = new Weights(past);
        Weights trained = new Weights(now)) {
      ExponentialMovingAverage.updateFused(average.parameters(), trained.parameters(), beta);
      assertThat(trained.values()).isDeepEqualTo(now);
      for (int i = 0; i < 2; i++) {
        float[] found = average.value(i).toFloats();
        for (int k = 0; k < found.length; k++) {
          double exact = now[i][k] + beta * ((double) past[i][k] - now[i][k]);
          double largest = Math.max(Math.abs(past[i][k]), Math.abs(now[i][k]));
          assertThat((double) found[k]).isCloseTo(exact, within(2.5 * Math.ulp((float) largest)));
        }
      }
    }
  }

  @Test
  void fusedListsThatDoNotBelongTogetherAreRefused() {
    try (Weights average = new Weights(new float[2], new float[3]);
        Weights trained = new Weights(new float[2], new float[4])) {
      assertThatThrownBy(() ->
              ExponentialMovingAverage.updateFused(average.parameters(), trained.parameters(), 0.5))
          .isInstanceOf(TorchException.class)
          .hasMessage("float32[3] and float32[4] do not have the same type, device and layout");
    }
  }
}
