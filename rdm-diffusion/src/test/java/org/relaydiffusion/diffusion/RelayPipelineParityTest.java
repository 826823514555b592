// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertClose;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.fixture.Tensors;
import org.relaydiffusion.diffusion.guidance.Guidance;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** The whole relay from official checkpoints to pictures: samplers/relay_*. */
class RelayPipelineParityTest {
  static Stream<RelayFixture> relays() {
    return RelayFixture.all();
  }

  @ParameterizedTest
  @MethodSource("relays")
  void exactPicturesAreTheReferences(RelayFixture fixture) {
    // Two LibTorch versions differ by one grey level in 0.04 % of the values (the fixtures'
    // README);
    // about ten times that is allowed.
    Differences differences = differences(fixture, Numerics.EXACT);
    assertThat(differences.largest()).isLessThanOrEqualTo(1);
    assertThat(differences.partAbove(0)).isLessThanOrEqualTo(0.005);
  }

  @ParameterizedTest
  @MethodSource("relays")
  void fastPicturesLookTheSame(RelayFixture fixture) {
    // Other kernels round otherwise; guidance and the relay amplify that in a few pixels.
    assertThat(differences(fixture, Numerics.FAST).partAbove(2)).isLessThanOrEqualTo(0.01);
  }

  @ParameterizedTest
  @MethodSource("relays")
  void stagesAgreeBeforeTheyBecomePixels(RelayFixture fixture) {
    Tensors stages = Tensors.read(fixture.files().file("stages.safetensors"));
    long[] seeds = Fixture.longs(fixture.config().path("batches").path(0));
    try (RelayPipeline pipeline = fixture.load(Numerics.EXACT);
        var _ = GradMode.noGrad();
        var _ = TensorScope.open()) {
      // As for the samplers alone.
      double tolerance = 5e-5;
      Tensor expected = Shapes.narrow(stages.get("stage1"), 0, 0, seeds.length);
      assertClose(
          images(pipeline, fixture, StageRange.only(0), seeds), expected, tolerance, "stage 1");
      Tensor second = images(pipeline, fixture, StageRange.ALL, seeds).to(DType.FLOAT32);
      long stored = Math.min(seeds.length, stages.get("stage2").size(0));
      assertClose(
          Shapes.narrow(second, 0, 0, stored),
          Shapes.narrow(stages.get("stage2"), 0, 0, stored),
          tolerance,
          "stage 2");
    }
  }

  private static Tensor images(
      RelayPipeline pipeline, RelayFixture fixture, StageRange range, long[] seeds) {
    PipelinePlan plan = PipelinePlan.of(fixture.request().range(range).build(), pipeline.stages());
    return new BatchSampler(plan, Guidance.Evaluation.SEPARATE, Device.CPU)
        .images(seeds, (_, _, _, _) -> {});
  }

  private static Differences differences(RelayFixture fixture, Numerics numerics) {
    Differences differences = new Differences();
    List<Long> seeds = new ArrayList<>();
    try (RelayPipeline pipeline = fixture.load(numerics);
        Samples samples = pipeline.sample(fixture.request().build())) {
      for (Sample sample : samples) {
        seeds.add(sample.seed());
        differences.add(sample.pixels(), fixture.picture(sample.seed()));
      }
    }
    assertThat(seeds)
        .containsExactlyElementsOf(
            Arrays.stream(Fixture.longs(fixture.config().path("seeds"))).boxed().toList());
    return differences;
  }
}
