// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.guidance.GuidanceOptions;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.TensorScope;

/** A pipeline is a list: any number of stages, of which any range runs. */
class PipelineOfStagesTest {
  private static final SampleRequest.Builder REQUEST = SampleRequest.builder().seeds(3, 4);

  private static RelayPipeline pipeline(int... sides) {
    List<Stage> stages = new ArrayList<>();
    for (int i = 0; i < sides.length; i++) {
      stages.add(new Stage(i, new StubDenoiser(sides[i], 3, 0)));
    }
    return RelayPipeline.of(stages, Numerics.FAST, Device.CPU);
  }

  private static List<Pixels> pictures(RelayPipeline pipeline, SampleRequest request) {
    List<Pixels> pictures = new ArrayList<>();
    try (Samples samples = pipeline.sample(request)) {
      samples.forEach(s -> pictures.add(s.pixels()));
    }
    return pictures;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5})
  void eachStageStartsFromTheEnlargedImageOfTheOneBefore(int count) {
    int[] sides = new int[count];
    for (int i = 0; i < count; i++) {
      sides[i] = i == 0 ? 8 : 8 << (i + 1);
    }
    List<Integer> heard = new ArrayList<>();
    try (RelayPipeline pipeline = pipeline(sides);
        Samples samples =
            pipeline.sample(
                REQUEST.range(StageRange.ALL).build(),
                p -> {
                  heard.add(p.stage());
                  try (var _ = TensorScope.open()) {
                    assertThat(p.preview().denoised().shape())
                        .containsExactly(2, 3, sides[p.stage()], sides[p.stage()]);
                  }
                })) {
      for (Sample sample : samples) {
        assertThat(sample.pixels().width()).isEqualTo(sides[count - 1]);
      }
    }
    assertThat(heard.stream().distinct()).hasSize(count);
    assertThat(heard).isSorted();
  }

  @Test
  void aRangeOfStagesStartsFromTheImagesOfTheOneBefore() {
    try (RelayPipeline pipeline = pipeline(8, 32, 64)) {
      List<Pixels> small =
          pictures(pipeline, REQUEST.range(StageRange.parse("first-second")).build());
      assertThat(small.getFirst().width()).isEqualTo(32);
      List<Pixels> large =
          pictures(
              pipeline,
              REQUEST
                  .range(StageRange.parse("third"))
                  .inputs(seed -> small.get((int) seed - 3))
                  .build());
      assertThat(large.getFirst().width()).isEqualTo(64);
      assertThatThrownBy(
              () -> pipeline.sample(REQUEST.range(StageRange.parse("second-fourth")).build()))
          .isInstanceOf(OptionException.class)
          .hasMessage("sampler_stages = second-fourth requires the checkpoint of the fourth stage");
    }
  }

  @Test
  void aStageHasTheSolverOfItsKind() {
    assertThatThrownBy(
            () -> SampleRequest.builder().stage(1, StageOptions.of(EdmOptions.DEFAULT)).build())
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "the second stage starts from images, but its options are for a solver that starts"
                + " from noise");
    try (RelayPipeline pipeline = pipeline(8)) {
      SampleRequest relay =
          SampleRequest.builder()
              .solver(0, EdmOptions.DEFAULT.toBuilder().solver("relay").build())
              .build();
      assertThatThrownBy(() -> pipeline.sample(relay))
          .isInstanceOf(OptionException.class)
          .hasMessageMatching(
              "solver must be heun.* for a stage that starts from noise, but is relay");
      SampleRequest unknown =
          SampleRequest.builder()
              .solver(0, EdmOptions.DEFAULT.toBuilder().solver("magic").build())
              .build();
      assertThatThrownBy(() -> pipeline.sample(unknown))
          .isInstanceOf(OptionException.class)
          .hasMessageMatching("solver must be heun.*, but is 'magic'");
    }
  }

  @Test
  void aGuideHasTheShapeOfItsNetworkAndAScale() {
    StubDenoiser network = new StubDenoiser(8, 3, 0);
    List<Stage> other = List.of(new Stage(0, network, Optional.of(new StubDenoiser(16, 3, 0))));
    List<Stage> same = List.of(new Stage(0, network, Optional.of(new StubDenoiser(8, 3, 0))));
    SampleRequest.Builder guided =
        SampleRequest.builder().seeds(1).guidance(0, GuidanceOptions.scale(2));
    try (RelayPipeline wrong = RelayPipeline.of(other, Numerics.FAST, Device.CPU);
        RelayPipeline right = RelayPipeline.of(same, Numerics.FAST, Device.CPU)) {
      assertThatThrownBy(() -> wrong.sample(guided.build()))
          .isInstanceOf(OptionException.class)
          .hasMessage(
              "the guide network of the first stage has 3 channels, 16 pixels, 0 classes, but its"
                  + " network has 3 channels, 8 pixels, 0 classes");
      assertThatThrownBy(() -> right.sample(SampleRequest.builder().build()))
          .isInstanceOf(OptionException.class)
          .hasMessage(
              "the guide network of the first stage requires cfg_scale above 1, but it is 1.0");
      assertThat(pictures(right, guided.build())).hasSize(1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"both", "first", "third", "first-second", "second-third", "second-last"})
  void aRangeIsParsedAndPrinted(String text) {
    assertThat(StageRange.parse(text)).hasToString(text);
    assertThat(StageRange.parse("all")).isEqualTo(StageRange.ALL);
    assertThat(StageRange.parse("first-first")).isEqualTo(StageRange.only(0));
    assertThat(StageRange.parse("second-last")).isEqualTo(new StageRange(1, OptionalInt.empty()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "zeroth", "second-first", "first-second-third", "-", "1"})
  void noOtherRangeIs(String text) {
    assertThatThrownBy(() -> StageRange.parse(text))
        .isInstanceOf(OptionException.class)
        .hasMessageEndingWith("but is '%s'".formatted(text));
  }
}
