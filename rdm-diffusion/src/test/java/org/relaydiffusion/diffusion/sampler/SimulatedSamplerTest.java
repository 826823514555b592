// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.diffusion.StageOptions;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.fixture.SamplerKwargs;
import org.relaydiffusion.diffusion.fixture.SamplerNets;
import org.relaydiffusion.diffusion.fixture.Tensors;
import org.relaydiffusion.diffusion.guidance.Guidance;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.LaunchGrid;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.testing.HostEvent;
import org.relaydiffusion.torch.testing.HostTraffic;
import org.relaydiffusion.torch.testing.SimulatedGpu;
import tools.jackson.databind.JsonNode;

/**
 * Every sampler, in cases of samplers/, on a simulated device: the CPU's images, and a step that
 * waits for nothing and copies at most once.
 */
class SimulatedSamplerTest {
  /** Of {@link SamplerParityTest}: fast numerics take other operations on the CPU. */
  private static final double TOLERANCE = 5e-5;

  /** The solvers other than the reference's are tried with its options. */
  private static final String WITH_CHURN = "edm_cfg1_5_churn";

  /** The three samplers, each with and without churn, guidance and block noise. */
  private static final List<String> CASES =
      List.of(
          "blur_default",
          "blur_celebahq_churn",
          "blur_imagenet_cfg",
          "blur_noblock",
          "celebahq_edm_sde",
          "celebahq_edm_sde0_churn",
          "edm_cfg1_5_churn",
          "edm_cfg1_5_nolabels",
          "edm_iddpm_rounding",
          "edm_main_defaults");

  static Stream<Arguments> cases() {
    Stream<Case> others =
        Solvers.names(EdmOptions.class).stream()
            .filter(solver -> !solver.equals("heun"))
            .map(solver -> new Case(WITH_CHURN, solver));
    return Stream.concat(CASES.stream().map(name -> new Case(name, "")), others)
        .flatMap(c ->
            Stream.of(
                Arguments.of(c, Numerics.EXACT, Noise.CPU),
                Arguments.of(c, Numerics.EXACT, Noise.AUTO),
                Arguments.of(c, Numerics.FAST, Noise.AUTO)));
  }

  /**
   * A fixture.
   *
   * @param name its folder
   * @param solver the name of a solver other than the fixture's, for 4 steps; empty for that
   */
  record Case(String name, String solver) {
    StageOptions stage(JsonNode config) {
      boolean celebahq = config.path("script").asString().equals("generate_celebahq");
      JsonNode kwargs = config.path("kwargs");
      StageOptions options =
          config.path("function").asString().equals("edm_sampler")
              ? SamplerKwargs.edm(kwargs, celebahq)
              : SamplerKwargs.relay(kwargs, celebahq);
      return !solver.isEmpty() && options.solver() instanceof EdmOptions edm
          ? options.with(edm.toBuilder().solver(solver).numSteps(4).build())
          : options;
    }
  }

  @Test
  void anEmptyBatchLiesOnTheDeviceToo() {
    try (SimulatedGpu _ = SimulatedGpu.open();
        TensorScope _ = TensorScope.open();
        StackedGenerators none =
            StackedGenerators.of(new Noise.OfGpu(LaunchGrid.A100), SimulatedGpu.DEVICE)) {
      Tensor drawn = none.randn(DType.FLOAT64, 3, 2, 2);
      assertThat(drawn.shape()).containsExactly(0, 3, 2, 2);
      assertThat(drawn.device()).isEqualTo(SimulatedGpu.DEVICE);
    }
  }

  /** What a run gave. */
  private record Sampled(double[] images, float[] nextDraw, List<HostTraffic> steps) {}

  @ParameterizedTest
  @MethodSource("cases")
  void aSamplerGivesTheCpusImagesWithinItsBudget(Case c, Numerics numerics, Noise noise) {
    Sampled expected = sample(c, numerics, Noise.CPU, Device.CPU, null);
    try (SimulatedGpu gpu = SimulatedGpu.open()) {
      Sampled found = sample(c, numerics, noise, SimulatedGpu.DEVICE, gpu);
      if (numerics == Numerics.EXACT) {
        assertThat(found.images).containsExactly(expected.images);
      } else {
        assertThat(distance(found.images, expected.images)).isLessThan(TOLERANCE);
      }
      assertThat(found.nextDraw).containsExactly(expected.nextDraw);
      // What a device keeps is made in the first step.
      for (HostTraffic step : found.steps.subList(1, found.steps.size())) {
        assertThat(step.waits()).as("waits of a step: %s", step).isZero();
        if (noise.equals(Noise.CPU)) {
          // Each draw is one, from pinned memory.
          assertThat(step.events())
              .as("copies of a step: %s", step)
              .allMatch(e -> e.kind() == HostEvent.Kind.UPLOAD_BEGUN);
        } else {
          assertThat(step.transfers()).as("copies of a step: %s", step).isLessThanOrEqualTo(1);
        }
      }
    }
  }

  private static Sampled sample(
      Case c, Numerics numerics, Noise source, Device device, @Nullable SimulatedGpu gpu) {
    Fixture fixture = Fixture.of("samplers/" + c.name());
    JsonNode config = fixture.json("config.json");
    Tensors io = Tensors.read(fixture.file("io.safetensors"));
    LoadOptions options = new LoadOptions(numerics, DType.FLOAT32, device);
    try (var _ = GradMode.noGrad();
        SamplerNets nets = SamplerNets.open(config.path("net").asString(), options);
        var _ = TensorScope.open();
        StackedGenerators noise =
            StackedGenerators.of(source, device, Fixture.longs(config.path("seeds")))) {
      int side = nets.net().resolution();
      Tensor start =
          io.has("first_stage")
              ? Functional.upsampleNearest(io.get("first_stage").to(device), side, side)
              : noise.randnLike(io.get("latents"), DType.FLOAT32);
      Tensor labels = io.has("class_labels") ? io.get("class_labels").to(device) : null;
      List<HostTraffic> steps = new ArrayList<>();
      StageOptions stage = c.stage(config);
      GuidedDenoiser guided =
          Guidance.of(stage.guidance(), nets.net(), null, labels, Guidance.Evaluation.of(numerics));
      Tensor images =
          Solvers.of(stage.solver())
              .sample(
                  guided,
                  start,
                  noise,
                  (_, _, _) -> {
                    if (gpu != null) {
                      steps.add(gpu.takeTraffic());
                    }
                  });
      assertThat(images.device()).isEqualTo(device);
      return new Sampled(images.toDoubles(), noise.randn(DType.FLOAT32, 4).toFloats(), steps);
    }
  }

  private static double distance(double[] found, double[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    double worst = 0;
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      worst = Math.max(worst, Math.abs(found[i] - expected[i]));
      largest = Math.max(largest, Math.abs(expected[i]));
    }
    return worst / largest;
  }
}
