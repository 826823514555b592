// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Churn;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.blur.BlockNoise;
import org.relaydiffusion.diffusion.blur.Dct;
import org.relaydiffusion.diffusion.fixture.RecordingDenoiser;
import org.relaydiffusion.diffusion.fixture.SamplerNets;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.diffusion.guidance.PlainDenoiser;
import org.relaydiffusion.diffusion.sampler.RelayMultistepSolver.Form;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** {@code relay-2m} and {@code relay-sde-2m} with a network. */
class RelayMultistepSolverTest {
  private static final int SIDE = 16;
  private static final long[] SEEDS = {5, 9, 23};

  /** Ten levels below the truncation. */
  private static final RelayOptions OPTIONS =
      RelayOptions.DEFAULT.toBuilder().numSteps(28).noise(0.3).build();

  /** The products of transforms are summed in another order. */
  private static final double ROUNDING = 1e-10;

  /** The network's float32 kernels round differently for another batch size. */
  private static final double OTHER_BATCH = 5e-5;

  /** What a run gave: the images, and the numbers that its generators draw next. */
  private record Sampled(double[] images, float[] next, List<RecordingDenoiser.Call> calls) {}

  static Stream<Arguments> formsAndPatches() {
    return Arrays.stream(Form.values())
        .flatMap(form -> IntStream.of(1, 2, 4, 16).mapToObj(s -> Arguments.of(form, s)));
  }

  @ParameterizedTest
  @MethodSource("formsAndPatches")
  void aRunIsThatOfTheFormula(Form form, int upScale) {
    for (double block : new double[] {0, 0.15}) {
      RelayOptions options = OPTIONS.toBuilder().upScale(upScale).blockNoise(block).build();
      Sampled found = sample(new RelayMultistepSolver(options, form), SEEDS);
      Sampled expected = byFormula(form, options);
      assertThat(found.images).containsExactly(expected.images, within(ROUNDING));
      assertThat(found.next).containsExactly(expected.next);
    }
  }

  /** The steps written out, with the draws in the reference's order. */
  private static Sampled byFormula(Form form, RelayOptions options) {
    int s = options.upScale();
    double fresh = form == Form.STOCHASTIC ? options.noise() : 0;
    try (var _ = GradMode.noGrad();
        SamplerNets nets = SamplerNets.open("uncond16", LoadOptions.EXACT);
        var _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(SEEDS)) {
      GuidedDenoiser denoiser = new PlainDenoiser(nets.net(), null);
      NoiseLevels levels = RelaySolver.levels(options, nets.net());
      Tensor start = start(SEEDS);
      Tensor x = start.add(draw(options, start, noise).mul(levels.at(0)));
      Tensor before = null;
      for (int i = 0; i < levels.steps() - 1; i++) {
        RelayCoefficients c =
            RelayCoefficients.of(
                options.blurSchedule(),
                s,
                fresh,
                i == 0 ? OptionalDouble.empty() : OptionalDouble.of(levels.at(i - 1)),
                levels.at(i),
                levels.at(i + 1));
        Tensor u = Dct.dct2d(denoiser.denoise(x, levels.at(i)), s);
        Tensor pull = u.mul(tiled(c.current(), s));
        pull = before == null ? pull : pull.add(before.mul(tiled(c.previous(), s)));
        before = u;
        x = Dct.idct2d(Dct.dct2d(x, s).mul(c.kept()).add(pull), s);
        if (form == Form.STOCHASTIC) {
          x = x.add(draw(options, start, noise).mul(c.added()));
        }
      }
      Tensor images = denoiser.denoise(x, levels.at(levels.steps() - 1));
      return new Sampled(images.toDoubles(), noise.randn(DType.FLOAT32, 4).toFloats(), List.of());
    }
  }

  private static Tensor draw(RelayOptions options, Tensor start, StackedGenerators noise) {
    Tensor n = noise.randnLike(start, DType.FLOAT64);
    if (options.blockNoise() == 0) {
      return n;
    }
    Tensor b = BlockNoise.of(noise.randnLike(start, start.dtype()), options.upScale());
    return n.add(b.mul(options.blockNoise()));
  }

  private static Tensor tiled(double[] tile, int s) {
    return Shapes.repeat(Torch.tensor(tile, s, s), SIDE / s, SIDE / s);
  }

  @Test
  void theDeterministicFormIgnoresTheFractionOfNewNoise() {
    Sampled none = sample(deterministic(OPTIONS.toBuilder().noise(0).build()), SEEDS);
    Sampled all = sample(deterministic(OPTIONS.toBuilder().noise(1).build()), SEEDS);
    assertThat(all.images).containsExactly(none.images);
    assertThat(all.next).containsExactly(none.next);
  }

  @Test
  void theStochasticFormWithoutNewNoiseGivesTheImagesOfTheOther() {
    RelayOptions options = OPTIONS.toBuilder().noise(0).build();
    Sampled plain = sample(deterministic(options), SEEDS);
    Sampled drawn = sample(stochastic(options), SEEDS);
    assertThat(drawn.images).containsExactly(plain.images);
    assertThat(drawn.next).isNotEqualTo(plain.next);
  }

  @ParameterizedTest
  @EnumSource
  void churnIsIgnored(Form form) {
    RelayOptions churned =
        OPTIONS.toBuilder().churn(new Churn(40, 0, Double.POSITIVE_INFINITY, 1)).build();
    Sampled plain = sample(new RelayMultistepSolver(OPTIONS, form), SEEDS);
    Sampled found = sample(new RelayMultistepSolver(churned, form), SEEDS);
    assertThat(found.images).containsExactly(plain.images);
    assertThat(found.next).containsExactly(plain.next);
  }

  @ParameterizedTest
  @EnumSource
  void theNetworkIsCalledOnceAStep(Form form) {
    Solver solver = new RelayMultistepSolver(OPTIONS, form);
    try (SamplerNets nets = SamplerNets.open("uncond16", LoadOptions.EXACT)) {
      NoiseLevels levels = solver.levels(nets.net());
      assertThat(levels.steps()).isBetween(8, 12);
      assertThat(solver.calls(levels.steps())).isEqualTo(levels.steps());
      assertThat(sample(solver, SEEDS).calls)
          .extracting(RecordingDenoiser.Call::sigma)
          .containsExactlyElementsOf(
              Arrays.stream(levels.toArray()).limit(levels.steps()).boxed().toList());
    }
  }

  @ParameterizedTest
  @EnumSource
  void anImageDoesNotDependOnItsBatch(Form form) {
    Solver solver = new RelayMultistepSolver(OPTIONS, form);
    double[] together = sample(solver, SEEDS).images;
    assertThat(sample(solver, SEEDS).images).containsExactly(together);
    int size = together.length / SEEDS.length;
    for (int k = 0; k < SEEDS.length; k++) {
      assertThat(sample(solver, SEEDS[k]).images)
          .containsExactly(
              Arrays.copyOfRange(together, k * size, (k + 1) * size), within(OTHER_BATCH));
    }
  }

  /** The first level is the last: the prediction at the start is the result. */
  @ParameterizedTest
  @EnumSource
  void oneStepGivesThePrediction(Form form) {
    RelayOptions options =
        OPTIONS.toBuilder().numSteps(2).sigmaMin(0.5).truncationSigma(0.9).build();
    Solver solver = new RelayMultistepSolver(options, form);
    Sampled found = sample(solver, SEEDS);
    assertThat(found.calls).hasSize(1);
    assertThat(found.images).containsExactly(sample(new RelaySolver(options), SEEDS).images);
  }

  @ParameterizedTest
  @EnumSource
  void patchesThatDoNotFitAreRefused(Form form) {
    RelayOptions options = OPTIONS.toBuilder().upScale(3).build();
    assertThatThrownBy(() -> sample(new RelayMultistepSolver(options, form), SEEDS))
        .isInstanceOf(RdmException.class)
        .hasMessageContaining("3");
  }

  private static Solver deterministic(RelayOptions options) {
    return Solvers.of(options.toBuilder().solver("relay-2m").build());
  }

  private static Solver stochastic(RelayOptions options) {
    return Solvers.of(options.toBuilder().solver("relay-sde-2m").build());
  }

  private static Sampled sample(Solver solver, long... seeds) {
    try (var _ = GradMode.noGrad();
        SamplerNets nets = SamplerNets.open("uncond16", LoadOptions.EXACT);
        var _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(seeds)) {
      RecordingDenoiser net = new RecordingDenoiser(nets.net());
      Tensor images =
          solver.sample(new PlainDenoiser(net, null), start(seeds), noise, StepListener.NONE);
      return new Sampled(images.toDoubles(), noise.randn(DType.FLOAT32, 4).toFloats(), net.calls);
    }
  }

  /** An image for each seed. */
  private static Tensor start(long... seeds) {
    try (TensorScope scope = TensorScope.open();
        StackedGenerators images = StackedGenerators.of(seeds)) {
      return scope.keep(images.randn(DType.FLOAT64, 3, SIDE, SIDE).mul(0.4));
    }
  }
}
