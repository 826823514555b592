// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;

/** What a request and the networks must agree on; each refusal is one clear line. */
class PipelinePlanTest {
  private static RelayPipeline pipeline(@Nullable StubDenoiser... networks) {
    List<Stage> stages = new ArrayList<>();
    for (int i = 0; i < networks.length; i++) {
      StubDenoiser network = networks[i];
      if (network != null) {
        stages.add(new Stage(i, network));
      }
    }
    return RelayPipeline.of(stages, Numerics.EXACT, Device.CPU);
  }

  private static void refused(
      SampleRequest.Builder request,
      @Nullable StubDenoiser first,
      @Nullable StubDenoiser second,
      String message) {
    try (var pipeline = pipeline(first, second)) {
      assertThatThrownBy(() -> pipeline.sample(request.build()))
          .isInstanceOf(OptionException.class)
          .hasMessage(message);
    }
  }

  @Test
  void aStageNeedsItsNetwork() {
    StubDenoiser net = new StubDenoiser(16, 3, 0);
    refused(
        SampleRequest.builder(),
        null,
        net,
        "sampler_stages = both requires the checkpoint of the first stage");
    refused(
        SampleRequest.builder().range(StageRange.parse("first-second")),
        net,
        null,
        "sampler_stages = first-second requires the checkpoint of the second stage");
    refused(
        SampleRequest.builder().range(StageRange.only(0)),
        null,
        net,
        "sampler_stages = first requires the checkpoint of the first stage");
    assertThatThrownBy(() -> RelayPipeline.builder().load())
        .isInstanceOf(OptionException.class)
        .hasMessage("a pipeline requires the checkpoint of at least one stage");
  }

  @Test
  void theNetworksMustBeAPair() {
    refused(
        SampleRequest.builder(),
        new StubDenoiser(24, 3, 0),
        new StubDenoiser(64, 3, 0),
        "the networks do not match: the second's resolution of 64 is not a multiple of the"
            + " first's 24");
    refused(
        SampleRequest.builder(),
        new StubDenoiser(16, 1, 0),
        new StubDenoiser(64, 3, 0),
        "the networks do not match: 1 and 3 channels");
    refused(
        SampleRequest.builder(),
        new StubDenoiser(16, 3, 4),
        new StubDenoiser(64, 3, 5),
        "the networks do not match: 4 and 5 classes");
    refused(
        SampleRequest.builder(),
        new StubDenoiser(15, 3, 0),
        new StubDenoiser(30, 3, 0),
        "up_scale = 4 does not divide the resolution of the second network, 30");
    refused(
        SampleRequest.builder().range(StageRange.only(0)),
        new StubDenoiser(16, 2, 0),
        null,
        "the first network has 2 channels, but images have 1 or 3");
  }

  @Test
  void aClassMustExist() {
    refused(
        SampleRequest.builder().range(StageRange.only(0)).classLabel(1),
        new StubDenoiser(16, 3, 0),
        null,
        "class = 1 was requested, but the networks are unconditional");
    refused(
        SampleRequest.builder().range(StageRange.only(0)).classLabel(4),
        new StubDenoiser(16, 3, 4),
        null,
        "class must be 0 to 3, but is 4");
    refused(
        SampleRequest.builder().range(StageRange.only(0)).classes(ClassList.of(3, 9, 0, 4, 5, 9)),
        new StubDenoiser(16, 3, 4),
        null,
        "class must be 0 to 3, but is 9,4-5");
  }

  /** Neither the batch nor the processes change which picture is of which class. */
  @ParameterizedTest
  @CsvSource({"1, 1", "2, 1", "8, 1", "3, 2", "2, 3"})
  void severalClassesAreTakenInTurnBySeed(int batch, int processes) {
    Map<Long, Integer> labels = new TreeMap<>();
    try (var pipeline = pipeline(new StubDenoiser(8, 3, 10))) {
      for (int rank = 0; rank < processes; rank++) {
        SampleRequest request =
            SampleRequest.builder()
                .range(StageRange.only(0))
                .seeds("0-4,100")
                .classes(ClassList.of(7, 2, 9))
                .batch(batch)
                .rank(rank, processes)
                .build();
        pipeline.sample(request).forEach(s -> labels.put(s.seed(), s.label().orElseThrow()));
      }
    }
    assertThat(labels).isEqualTo(Map.of(0L, 7, 1L, 2, 2L, 9, 3L, 7, 4L, 2, 100L, 2));
  }

  @Test
  void labelsAreSeedModClassesOrTheOneAskedFor() {
    StubDenoiser first = new StubDenoiser(8, 3, 4);
    SampleRequest.Builder request =
        SampleRequest.builder().range(StageRange.only(0)).seeds(6, -1).batch(2);
    try (var pipeline = pipeline(first, null)) {
      assertThat(pipeline.sample(request.build()))
          .extracting(s -> s.label().orElseThrow())
          .containsExactly(2, 3);
      assertThat(first.calls().getFirst().labels()).containsExactly(0, 0, 1, 0, 0, 0, 0, 1);
      assertThat(pipeline.sample(request.classLabel(0).build()))
          .extracting(s -> s.label().orElseThrow())
          .containsExactly(0, 0);
    }
  }

  @Test
  void anUnconditionalSecondStageIsGivenNoLabels() {
    StubDenoiser first = new StubDenoiser(8, 3, 4);
    StubDenoiser second = new StubDenoiser(32, 3, 0);
    try (var pipeline = pipeline(first, second)) {
      for (Sample sample : pipeline.sample(SampleRequest.builder().seeds(5).build())) {
        assertThat(sample.label()).hasValue(1);
        assertThat(sample.pixels().width()).isEqualTo(32);
      }
    }
    assertThat(first.calls()).allMatch(c -> c.labels() != null);
    assertThat(second.calls()).allMatch(c -> c.labels() == null);
  }

  @Test
  void theSecondStageAloneChecksThePicturesItIsGiven() {
    StubDenoiser second = new StubDenoiser(32, 3, 0);
    try (var pipeline = pipeline(null, second)) {
      SampleRequest.Builder request =
          SampleRequest.builder().range(StageRange.only(1)).seeds(7).inputs(_ -> picture(8, 1));
      assertThatThrownBy(() -> pipeline.sample(request.build()).iterator().hasNext())
          .isInstanceOf(OptionException.class)
          .hasMessage("the image of seed 7 has 1 channels, but the second network has 3");
      assertThatThrownBy(() ->
              pipeline.sample(request.inputs(_ -> picture(12, 3)).build()).iterator().hasNext())
          .isInstanceOf(OptionException.class)
          .hasMessage(
              "the image of seed 7 is 12 x 12, but must be square with a side that divides 32");
    }
    assertThatThrownBy(() -> SampleRequest.builder().range(StageRange.only(1)).build())
        .isInstanceOf(OptionException.class)
        .hasMessage("sampler_stages = second requires the images of the first stage");
  }

  @Test
  void aNetworkWithoutLevelsBelowTheTruncationIsRefused() {
    StubDenoiser second = new StubDenoiser(32, 3, 0, 2, new ArrayList<>());
    SampleRequest request =
        SampleRequest.builder()
            .range(StageRange.only(1))
            .seeds(7)
            .inputs(_ -> picture(8, 3))
            .build();
    try (var pipeline = pipeline(null, second)) {
      assertThatThrownBy(() -> pipeline.sample(request).iterator().hasNext())
          .isInstanceOf(OptionException.class)
          .hasMessageStartingWith("there are no steps below truncation_sigma = 0.9: ");
    }
  }

  static Pixels picture(int side, int channels) {
    return Pixels.black(side, side, channels);
  }
}
