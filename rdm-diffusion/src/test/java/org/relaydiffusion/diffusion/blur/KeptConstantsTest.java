// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.schedule.BlurSchedule;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** What a run of the sampler keeps has the bits of what is computed for one image. */
class KeptConstantsTest {
  @Test
  void theTransformWithKeptMatricesIsTheTransform() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(1)) {
      Tensor x = generator.randn(DType.FLOAT64, 2, 3, 8, 16);
      PatchDct kept = PatchDct.of(4, DType.FLOAT64, Device.CPU);

      assertThat(kept.transform(x).toDoubles()).isEqualTo(Dct.dct2d(x, 4).toDoubles());
      assertThat(kept.inverse(x).toDoubles()).isEqualTo(Dct.idct2d(x, 4).toDoubles());
      assertThatThrownBy(() -> kept.transform(Torch.ones(DType.FLOAT64, 1, 1, 6, 6)))
          .hasMessageContaining("does not divide");
    }
  }

  @Test
  void aTableHasTheDampingOfEachOfItsLevels() {
    BlurSchedule schedule = new BlurSchedule(0.93, 3);
    double[] levels = {2.5, 0.7, 2.5, 0, 0.01};
    try (TensorScope _ = TensorScope.open()) {
      Tensor images = Torch.ones(DType.FLOAT64, 1, 1, 8, 12);
      DampingTable table = DampingTable.of(schedule, levels, 4, Device.CPU);

      for (double t : levels) {
        assertThat(table.at(t, images).toFloats())
            .isEqualTo(Damping.at(schedule, t, 4, images).toFloats());
      }
      assertThatThrownBy(() -> table.at(0.5, images))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("the table has no noise level 0.5");
    }
  }

  @Test
  void aTableOfNoLevelsIsEmpty() {
    try (TensorScope _ = TensorScope.open()) {
      DampingTable table = DampingTable.of(new BlurSchedule(0.93, 3), new double[0], 4, Device.CPU);

      assertThatThrownBy(() -> table.at(1, Torch.ones(DType.FLOAT64, 1, 1, 8, 8)))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
