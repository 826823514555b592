// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertClose;

import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.transfer.HostValues;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

class Sym6Test {
  @Test
  void onePixelDoubledIsTheReferencesFilter() {
    double[] taps =
        Fixture.doubles(Fixture.of("augment/wavelets").json("wavelets.json").path("sym6"));
    assertThat(taps).hasSize(Sym6.TAPS);
    try (TensorScope _ = TensorScope.open()) {
      float[] row = new float[8];
      row[4] = 1;
      // The second row of a doubled row of height 1 is filtered by tap BEFORE + 1.
      Tensor doubled = doubled(Torch.tensor(row, 1, 1, 1, 8));
      assertThat(doubled.shape()).containsExactly(1, 1, 2, 16);
      float[] values = Shapes.select(doubled, 2, 0).toFloats();
      for (int k = 0; k < Sym6.TAPS; k++) {
        int element = 2 * 4 - Sym6.BEFORE + k;
        assertThat((double) values[element])
            .as("tap %s", k)
            .isCloseTo(taps[k] * 2 * taps[Sym6.BEFORE], within(1e-6));
      }
    }
  }

  @Test
  void halvingUndoesDoubling() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(1)) {
      Tensor image = generator.randn(DType.FLOAT32, 2, 3, 20, 24);
      Tensor doubled = doubled(image);
      // The elements that the pixels 6 to 6 + size - 12 are halved from.
      Tensor inner =
          Shapes.narrow(
              Shapes.narrow(doubled, 2, 2 * 6 - Sym6.BEFORE, 2 * 8 + Sym6.TAPS - 2),
              3,
              2 * 6 - Sym6.BEFORE,
              2 * 12 + Sym6.TAPS - 2);
      Tensor expected = Shapes.narrow(Shapes.narrow(image, 2, 6, 8), 3, 6, 12);
      // Rounding of a dozen float32 products on either side.
      assertClose(halved(inner).contiguous(), expected.contiguous(), 2e-6, "halved");
    }
  }

  private static Tensor doubled(Tensor x) {
    HostValues values = new HostValues(Device.CPU);
    UnaryOperator<Tensor> doubling = Sym6.doubling(values, (int) x.size(3), (int) x.size(2));
    values.send();
    return doubling.apply(x);
  }

  private static Tensor halved(Tensor x) {
    HostValues values = new HostValues(Device.CPU);
    int width = (int) (x.size(3) - Sym6.TAPS + 2) / 2;
    int height = (int) (x.size(2) - Sym6.TAPS + 2) / 2;
    UnaryOperator<Tensor> halving = Sym6.halving(values, width, height);
    values.send();
    return halving.apply(x);
  }
}
