// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.diffusion.Churn;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.diffusion.schedule.LevelSchedule;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** What every solver of a stage that starts from noise keeps to. */
class SolverContractTest {
  private static final ExactDenoiser.Gaussian DATA =
      new ExactDenoiser.Gaussian(new double[] {0.4, -0.2, 0}, new double[] {0.5, 0.2, 0.9});

  static List<String> names() {
    return Solvers.names(EdmOptions.class);
  }

  private static EdmOptions options(String name, int steps) {
    return EdmOptions.DEFAULT.toBuilder()
        .solver(name)
        .numSteps(steps)
        .schedule(new LevelSchedule.UniformLambda())
        .build();
  }

  private static Solver solver(String name) {
    return Solvers.of(options(name, 2));
  }

  /** Returns the images of some seeds. */
  private static double[] sample(EdmOptions options, GuidedDenoiser denoiser, long... seeds) {
    try (var _ = GradMode.noGrad();
        var _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(seeds)) {
      Tensor latents = noise.randn(DType.FLOAT32, 1, 8, 8);
      Tensor images = Solvers.of(options).sample(denoiser, latents, noise, StepListener.NONE);
      assertThat(images.dtype()).isEqualTo(DType.FLOAT64);
      assertThat(images.shape()).containsExactly(seeds.length, 1, 8, 8);
      return images.toDoubles();
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void itsCallsAreCounted(String name) {
    for (int steps : new int[] {2, 3, 4, 9}) {
      EdmOptions options = options(name, steps);
      ExactDenoiser denoiser = new ExactDenoiser(DATA);
      sample(options, denoiser, 0);
      assertThat(denoiser.calls()).isEqualTo(Solvers.of(options).calls(steps));
    }
  }

  /** A single step leads from the highest level to 0. */
  @ParameterizedTest
  @MethodSource("names")
  void theStepToZeroIsThePrediction(String name) {
    try (var _ = GradMode.noGrad();
        var _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(0)) {
      Tensor latents = noise.randn(DType.FLOAT32, 1, 8, 8);
      ExactDenoiser denoiser = new ExactDenoiser(DATA);
      Batch batch = new Batch(denoiser, latents, NoiseLevels.of(0.7, 0), noise);
      try (Stepper stepper = solver(name).begin(batch)) {
        Tensor start = stepper.start();
        double[] expected = denoiser.denoise(start, 0.7).toDoubles();
        assertThat(stepper.step(0, start).toDoubles()).containsExactly(expected, within(1e-14));
      }
      assertThat(denoiser.calls()).isEqualTo(1 + solver(name).calls(1));
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void anImageDependsOnItsSeedAlone(String name) {
    EdmOptions options =
        options(name, 7).toBuilder().churn(new Churn(3, 0, Double.POSITIVE_INFINITY, 1)).build();
    double[] batch = sample(options, new ExactDenoiser(ONE), 5, 6, 7);
    for (int k = 0; k < 3; k++) {
      double[] alone = sample(options, new ExactDenoiser(ONE), 5 + k);
      assertThat(Arrays.copyOfRange(batch, k * 64, (k + 1) * 64)).containsExactly(alone);
    }
    assertThat(Arrays.copyOfRange(batch, 0, 64)).doesNotContain(Arrays.copyOfRange(batch, 64, 65));
  }

  private static final ExactDenoiser.Gaussian ONE =
      new ExactDenoiser.Gaussian(new double[] {0.1}, new double[] {0.5});

  /** A network that rounds noise levels may have steps of length 0. */
  @ParameterizedTest
  @MethodSource("names")
  void equalLevelsLeaveTheImageAsItIs(String name) {
    EdmOptions options = options(name, 12);
    ExactDenoiser denoiser = new ExactDenoiser(DATA, 0.5);
    double[] levels = NoiseLevels.of(options, denoiser.network()).toArray();
    assertThat(Arrays.stream(levels).distinct().count()).isLessThan(levels.length - 2);
    double[] images = sample(options, denoiser, 0);
    assertThat(images).doesNotContain(Double.NaN);
    assertThat(Arrays.stream(images).map(Math::abs).max().orElseThrow()).isLessThan(5);
    assertThat(denoiser.calls()).isLessThanOrEqualTo(Solvers.of(options).calls(12));
  }

  /** A network that fails in its second call. */
  private record Failing(ExactDenoiser denoiser) implements GuidedDenoiser {
    @Override
    public Tensor denoise(Tensor x, double sigma) {
      if (denoiser.calls() == 3) {
        throw new IllegalStateException("out of order");
      }
      return denoiser.denoise(x, sigma);
    }

    @Override
    public Denoiser network() {
      return denoiser.network();
    }

    @Override
    public GuidedDenoiser unguided() {
      return this;
    }
  }

  /** The extension that counts open tensors finds what a solver would leave. */
  @ParameterizedTest
  @MethodSource("names")
  void aFailureFreesWhatIsHeld(String name) {
    assertThatThrownBy(() -> sample(options(name, 8), new Failing(new ExactDenoiser(DATA)), 0, 1))
        .hasMessage("out of order");
  }

  /** As many draws as documented: one a step, or none. */
  @ParameterizedTest
  @MethodSource("names")
  void itDrawsAFixedNumberOfTimes(String name) {
    int steps = 5;
    int draws =
        switch (name) {
          case "heun", "euler", "sde-dpmpp-2m" -> steps;
          default -> 0;
        };
    try (var _ = GradMode.noGrad();
        var _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(3);
        StackedGenerators same = StackedGenerators.of(3)) {
      Tensor latents = noise.randn(DType.FLOAT32, 1, 8, 8);
      Solvers.of(options(name, steps))
          .sample(new ExactDenoiser(DATA), latents, noise, StepListener.NONE);
      same.randn(DType.FLOAT32, 1, 8, 8);
      for (int i = 0; i < draws; i++) {
        same.randn(DType.FLOAT64, 1, 8, 8);
      }
      assertThat(noise.randn(DType.FLOAT32, 4).toFloats())
          .containsExactly(same.randn(DType.FLOAT32, 4).toFloats());
    }
  }
}
