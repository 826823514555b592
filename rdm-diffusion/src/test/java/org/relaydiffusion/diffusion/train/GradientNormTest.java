// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.train.TrainingOptions.Start;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Parameter;

class GradientNormTest {
  /** Whatever the loss is multiplied by, even where the sum of squares leaves float32. */
  @ParameterizedTest
  @ValueSource(doubles = {1, 64, 0x1p80})
  void isThatOfTheGradientsWithoutTheLossesFactor(double lossScale) {
    double expected = sumsOfSquares(1, StepObserver.NONE);
    GradientNorm norm = new GradientNorm(lossScale);
    assertThat(norm.value()).isNaN();

    sumsOfSquares(lossScale, norm);

    assertThat(norm.value()).isCloseTo(Math.sqrt(expected), within(1e-5 * Math.sqrt(expected)));
  }

  @ParameterizedTest
  @ValueSource(doubles = {1, 64})
  void leavesTheStepsBitsAlone(double lossScale) {
    assertThat(parameters(lossScale, new GradientNorm(lossScale)))
        .isEqualTo(parameters(lossScale, StepObserver.NONE));
  }

  /** Of the gradients of a run's last step. */
  private static double sumsOfSquares(double lossScale, StepObserver other) {
    double[] sum = new double[1];
    step(
        lossScale,
        new StepObserver() {
          @Override
          public void gradients(List<Parameter> parameters) {
            other.gradients(parameters);
            sum[0] = 0;
            try (TensorScope _ = TensorScope.open()) {
              for (Parameter p : parameters) {
                Tensor gradient = p.value().grad();
                if (gradient != null) {
                  sum[0] += Arrays.stream(gradient.toDoubles()).map(g -> g * g).sum();
                }
              }
            }
          }
        },
        new ArrayList<>());
    return sum[0];
  }

  private static double[] parameters(double lossScale, StepObserver observer) {
    List<Double> parameters = new ArrayList<>();
    step(lossScale, observer, parameters);
    return parameters.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static void step(double lossScale, StepObserver observer, List<Double> parameters) {
    TrainingOptions options = TinyRun.edm(4, 2, lossScale, 2).options(new Start.Fresh(), 7);
    try (ImageFolderDataset dataset = Trainer.open(options);
        TrainingRun run = new TrainingRun(options, World.SINGLE, dataset)) {
      run.begin(0);
      run.observe(observer);
      run.step();
      run.step();
      try (GradMode _ = GradMode.noGrad();
          TensorScope _ = TensorScope.open()) {
        for (Parameter p : run.network().parameters()) {
          Arrays.stream(p.value().toDoubles()).forEach(parameters::add);
        }
      }
    }
  }
}
