// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertClose;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

class DctTest {
  @Test
  void theInverseGivesTheImageBack() {
    try (var _ = TensorScope.open();
        Generator generator = Generator.seeded(1)) {
      Tensor x = generator.randn(DType.FLOAT64, 2, 3, 12, 24);
      for (int s : new int[] {1, 2, 3, 4, 6, 12}) {
        for (Dct.Norm norm : Dct.Norm.values()) {
          // float64 rounding of two small matrix products.
          assertClose(Dct.idct2d(Dct.dct2d(x, s, norm), s, norm), x, 1e-14, s + " " + norm);
        }
      }
    }
  }

  @Test
  void aFlatPatchHasOnlyItsMean() {
    try (var _ = TensorScope.open()) {
      double[] coefficients = Dct.dct2d(Torch.ones(DType.FLOAT64, 1, 1, 4, 4), 4).toDoubles();
      assertThat(coefficients[0]).isEqualTo(4);
      for (int i = 1; i < coefficients.length; i++) {
        assertThat(Math.abs(coefficients[i])).isLessThan(1e-15);
      }
    }
  }

  @Test
  void aSideThatDoesNotDivideTheImageIsRefused() {
    try (var _ = TensorScope.open()) {
      Tensor x = Torch.zeros(DType.FLOAT32, 1, 3, 30, 32);
      assertThatThrownBy(() -> Dct.dct2d(x, 4))
          .isInstanceOf(OptionException.class)
          .hasMessage("the patch size (up_scale) of 4 does not divide the image size 32 x 30");
    }
  }
}
