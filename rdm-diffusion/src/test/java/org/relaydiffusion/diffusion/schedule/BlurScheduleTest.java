// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.fixture.Fixture;
import tools.jackson.databind.JsonNode;

class BlurScheduleTest {
  @Test
  void tilesAgreeWithTheReferenceToTheLastBitOfAFloat32() {
    // blurring/get_alpha_t. One unit in the last place: LibTorch's vectorised float32 exp is not
    // correctly rounded, ours (float64, then rounded) is; every other operation has the same order.
    Fixture fixture = Fixture.of("blurring/get_alpha_t");
    int different = 0;
    int all = 0;
    for (JsonNode c : fixture.json("cases.json")) {
      JsonNode arguments = c.path("kwargs");
      BlurSchedule schedule =
          new BlurSchedule(
              arguments.path("prob_length").asDouble(0.93),
              arguments.path("blur_sigma_max").asDouble(3),
              arguments.path("min_scale").asDouble(BlurSchedule.DEFAULT_MIN_SCALE));
      float[] expected = fixture.floats("case" + c.path("case").intValue() + ".tile");
      float[] actual =
          schedule.alphaTile(c.path("t").doubleValue(), c.path("patch_size").intValue());
      double[] precise =
          schedule.alphas(c.path("t").doubleValue(), c.path("patch_size").intValue());
      assertThat(actual).hasSameSizeAs(expected);
      assertThat(precise).hasSameSizeAs(expected);
      for (int i = 0; i < expected.length; i++) {
        int apart = Float.floatToIntBits(actual[i]) - Float.floatToIntBits(expected[i]);
        assertThat(Math.abs(apart)).as("entry %s of %s", i, c).isLessThanOrEqualTo(1);
        assertThat(precise[i]).as("entry %s of %s", i, c).isCloseTo(expected[i], within(1e-6));
        different += apart == 0 ? 0 : 1;
        all++;
      }
    }
    assertThat(different).isLessThan(all / 16);
  }

  @Test
  void theLastStepAtNoiseZeroIsNotBlurred() {
    BlurSchedule schedule = new BlurSchedule(0.93, 3);
    assertThat(schedule.blurSigma(0)).isZero();
    assertThat(schedule.alphaTile(0, 4)).containsOnly(1f);
    assertThat(schedule.alphas(0, 4)).containsOnly(1);
  }

  @Test
  void theMeanIsKeptByAnyBlur() {
    double[] alphas = new BlurSchedule(0.93, Double.MAX_VALUE).alphas(0.5, 4);
    assertThat(alphas[0]).isEqualTo(1);
    assertThat(Arrays.copyOfRange(alphas, 1, 16)).containsOnly(BlurSchedule.DEFAULT_MIN_SCALE);
  }

  @Test
  void theBlurIsLargestWhereProgressIsOne() {
    // Phi((ln t + 1.2) / 1.2) = 0.93 at t = exp(1.2 * 1.475791028179171 - 1.2).
    double t = Math.exp(1.2 * 1.475791028179171 - 1.2);
    BlurSchedule schedule = new BlurSchedule(0.93, 3);
    assertThat(schedule.progress(t)).isCloseTo(1, within(1e-12));
    assertThat(schedule.blurSigma(t)).isCloseTo(3, within(1e-12));
    assertThat(schedule.dissipationTime(t)).isCloseTo(4.5, within(1e-11));
  }

  @Test
  void nonsenseIsRefusedByName() {
    assertThatThrownBy(() -> new BlurSchedule(0, 3))
        .isInstanceOf(OptionException.class)
        .hasMessage("prob_length must be a finite number above 0, but is 0.0");
    assertThatThrownBy(() -> new BlurSchedule(0.93, Double.NaN))
        .isInstanceOf(OptionException.class)
        .hasMessageStartingWith("blur_sigma_max must be");
    assertThatThrownBy(() -> new BlurSchedule(0.93, 3, 1))
        .isInstanceOf(OptionException.class)
        .hasMessageStartingWith("min_scale must be");
    assertThatThrownBy(() -> new BlurSchedule(0.93, 3).alphaTile(0.5, 0))
        .isInstanceOf(OptionException.class)
        .hasMessage("the patch size must be 1 to 1024, but is 0");
    assertThatThrownBy(() -> new BlurSchedule(0.93, 3).progress(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
