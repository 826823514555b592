// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;

class AugmentOptionsTest {
  @Test
  void trainingHasSixOperationsAndNineLabels() {
    AugmentOptions options = AugmentOptions.training(0.12);
    assertThat(options.labelDim()).isEqualTo(9);
    assertThat(options.kwargs())
        .containsExactly(
            Map.entry("p", 0.12),
            Map.entry("xflip", 1e8),
            Map.entry("yflip", 1.0),
            Map.entry("scale", 1.0),
            Map.entry("rotate_frac", 1.0),
            Map.entry("aniso", 1.0),
            Map.entry("translate_frac", 1.0));
    assertThat(AugmentOptions.ofKwargs(options.kwargs())).isEqualTo(options);
  }

  @Test
  void whatIsNotGivenHasItsDefaultAndOperationsAreOff() {
    AugmentOptions options = AugmentOptions.ofKwargs(Map.of("hue", 0.5));
    assertThat(options.get(AugmentSetting.P)).isEqualTo(1);
    assertThat(options.get(AugmentSetting.ANISO_ROTATE_PROB)).isEqualTo(0.5);
    assertThat(options.has(AugmentSetting.HUE)).isTrue();
    assertThat(options.has(AugmentSetting.XFLIP)).isFalse();
    assertThat(options.labelDim()).isEqualTo(2);
  }

  @Test
  void nonsenseIsRefusedByName() {
    assertThatThrownBy(() -> AugmentOptions.ofKwargs(Map.of("blur", 1)))
        .isInstanceOf(OptionException.class)
        .hasMessage("unknown augmentation setting 'blur'");
    assertThatThrownBy(() -> AugmentOptions.training(1.5))
        .isInstanceOf(OptionException.class)
        .hasMessage("augmentation setting p must be in [0, 1], but is 1.5");
    assertThatThrownBy(() -> AugmentOptions.ofKwargs(Map.of("scale", Double.NaN)))
        .isInstanceOf(OptionException.class)
        .hasMessage("augmentation setting scale must be a finite number of at least 0, but is NaN");
  }
}
