// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.schedule.LevelSearch;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;

/** Noise levels fitted to a pipeline. */
class ScheduleTuningTest {
  private static RelayPipeline pipeline() {
    return RelayPipeline.of(
        List.of(new Stage(0, new StubDenoiser(8, 3, 0)), new Stage(1, new StubDenoiser(16, 3, 0))),
        Numerics.FAST,
        Device.CPU);
  }

  private static SampleRequest.Builder request() {
    return SampleRequest.builder()
        .seeds(1, 2)
        .solver(0, EdmOptions.DEFAULT.toBuilder().numSteps(4).build())
        .solver(1, RelayOptions.DEFAULT.toBuilder().upScale(2).build());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void theFoundLevelsAreNearerToTheLongRun(int stage) {
    try (RelayPipeline pipeline = pipeline()) {
      LevelSearch.Found found =
          new ScheduleTuning(pipeline, request().build(), stage, 5, 60)
              .run(new LevelSearch(20, 60), (_, _) -> {});

      assertThat(found.levels()).hasSize(5);
      assertThat(found.distance()).isLessThan(0.9 * found.startDistance());
      // The ends stay where the options have them; the relay begins below its truncation.
      if (stage == 0) {
        assertThat(found.levels()[0]).isCloseTo(80, within(1e-9));
        assertThat(found.levels()[4]).isCloseTo(0.002, within(1e-12));
      } else {
        assertThat(found.levels()[0]).isLessThan(0.9);
        assertThat(found.levels()[4]).isCloseTo(0.008, within(1e-12));
      }
    }
  }

  @Test
  void aCancelledSearchEnds() {
    Cancellation cancellation = new Cancellation();
    cancellation.cancel();
    try (RelayPipeline pipeline = pipeline()) {
      ScheduleTuning tuning =
          new ScheduleTuning(pipeline, request().cancellation(cancellation).build(), 0, 5, 20);
      assertThatThrownBy(() -> tuning.run(new LevelSearch(1, 5), (_, _) -> {}))
          .isInstanceOf(CancelledException.class);
    }
  }

  @Test
  void theStageMustHaveANetwork() {
    try (RelayPipeline pipeline = pipeline()) {
      assertThatThrownBy(() -> new ScheduleTuning(pipeline, request().build(), 2, 5, 20))
          .isInstanceOf(OptionException.class)
          .hasMessage("the third stage cannot be tuned: it has no network");
    }
  }
}
