// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.TensorScope;

class DistanceBoundsTest {
  /** Rows of one sign have no rounding errors that cancel. */
  private static double[][] rows(int dimensions, double offset, double size) {
    double[][] normal = Rows.map(Rows.normal(dimensions, 40, dimensions), x -> size * x + offset);
    double[][] positive = Rows.map(normal, Math::abs);
    double[][] rows = Rows.join(normal, positive);
    // Two that differ in their last bits only.
    rows[0] = Arrays.stream(rows[1]).map(Math::nextUp).toArray();
    return rows;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0, 1",
    "3, 1e9, 1e-3",
    "64, -1e6, 1",
    "2048, 0, 1",
    "2048, 0.3, 1e-30",
    "2048, 0, 1e-160",
    "2023, 5, 1e150",
    "2023, 0, 1e-200"
  })
  void boundsHoldTheDistanceThatFloat64Finds(int dimensions, double offset, double size) {
    double[][] rows = rows(dimensions, offset, size);
    try (TensorScope _ = TensorScope.open();
        Workers workers = new Workers(WorkOptions.defaults())) {
      Float32View view = Float32View.of(Survey.of(Rows.of("rows", rows), workers));
      DistanceBounds bounds = view.bounds();
      double[] flat = Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
      try (RowBlock block = RowBlock.of(new PlainRows(0, rows.length, flat), view)) {
        double[] norms = block.norms();
        double[] scratch = new double[dimensions];
        float[] products =
            LinearAlgebra.matmul(block.rounded(), Shapes.transpose(block.rounded(), 0, 1))
                .toFloats();
        for (int i = 0; i < rows.length; i++) {
          for (int j = 0; j < rows.length; j++) {
            double product = 2.0 * products[i * rows.length + j];
            double lower = bounds.lower(norms[i]) + bounds.lower(norms[j]) - product;
            double upper = bounds.upper(norms[i]) + bounds.upper(norms[j]) - product;
            double distance = bounds.scaled(block.squaredDistance(i, block, j, scratch));
            assertThat(distance).isBetween(lower, upper);
            assertThat(distance)
                .isEqualTo(bounds.scaled(block.squaredDistance(j, block, i, scratch)));
            if (size > 1e-100) {
              // They are worth something: 2 (D + 8) 2^-24 of the norms, 2.5e-4 at 2048.
              assertThat(upper - lower)
                  .isLessThan(1.3e-7 * (dimensions + 8) * (norms[i] + norms[j]) + 1e-30);
            }
          }
        }
      }
    }
  }
}
