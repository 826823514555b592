// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TrainingScheduleTest {
  private static final Path TABLE =
      Path.of(System.getProperty("rdm.fixtures"), "training", "schedules", "schedules.json");

  /** Python computes the same double expressions, so only the printed digits could differ. */
  @Test
  void learningRateAndAverageFollowTheReferencesTable() {
    JsonNode table = new JsonMapper().readTree(TABLE.toFile()).get("table");

    assertThat(table.size()).isGreaterThan(20);
    for (JsonNode row : table) {
      JsonNode ratio = row.get("ema_rampup_ratio");
      TrainingSchedule schedule =
          new TrainingSchedule(
              1,
              1,
              row.get("lr_rampup_kimg").asDouble(),
              row.get("ema_halflife_kimg").asDouble(),
              ratio.isNull() ? OptionalDouble.empty() : OptionalDouble.of(ratio.asDouble()));
      long images = row.get("cur_nimg").asLong();

      assertThat(schedule.learningRateAt(images))
          .isCloseTo(row.get("lr_factor").asDouble(), within(1e-15));
      assertThat(schedule.emaBetaAt(images, row.get("batch_size").asInt()))
          .isCloseTo(row.get("ema_beta").asDouble(), within(1e-15));
    }
  }

  /** As Python's {@code int(mimg * 1000)}, whose product may be a little below a whole number. */
  @Test
  void millionsOfImagesAreCutToWholeThousands() {
    assertThat(TrainingSchedule.wholeKimg(200)).isEqualTo(200_000);
    assertThat(TrainingSchedule.wholeKimg(0.0079)).isEqualTo(7);
    assertThat(TrainingSchedule.wholeKimg(1.001)).isEqualTo(1000);
    assertThat(TrainingSchedule.wholeKimg(2.007)).isEqualTo(2007);
    assertThat(TrainingSchedule.wholeKimg(0.001)).isEqualTo(1);
    assertThat(TrainingSchedule.wholeKimg(0)).isZero();
  }

  @Test
  void lessThanAThousandImagesStay() {
    assertThat(TrainingSchedule.wholeKimg(0.0005)).isEqualTo(0.5);
    // In double precision 0.000009 million are 9.000000000000002 images.
    for (int images = 1; images < 1000; images++) {
      double kimg = TrainingSchedule.wholeKimg(images / 1e6);
      assertThat(new TrainingSchedule(kimg, 1, 1, 1, OptionalDouble.empty()).totalImages())
          .isEqualTo(images);
    }
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    assertThatThrownBy(() -> new TrainingSchedule(0, 1, 1, 1, OptionalDouble.empty()))
        .isInstanceOf(OptionException.class)
        .hasMessage("the duration of a run must be above 0 kimg, but is 0.0");
    assertThatThrownBy(() -> new TrainingSchedule(1, Double.NaN, 1, 1, OptionalDouble.empty()))
        .hasMessageContaining("learning rate");
    assertThatThrownBy(() -> new TrainingSchedule(1, 1, -1, 1, OptionalDouble.empty()))
        .hasMessageContaining("ramp");
    assertThatThrownBy(() -> new TrainingSchedule(1, 1, 1, -1, OptionalDouble.empty()))
        .hasMessageContaining("half-life");
  }
}
