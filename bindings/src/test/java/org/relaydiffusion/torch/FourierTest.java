// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FourierTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 8, 15})
  void theTransformIsItsSumAndTheInverseUndoesIt(int n) {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(n)) {
      Tensor x = generator.randn(DType.FLOAT64, 3, n);
      Tensor spectrum = Fourier.fft(x);
      assertThat(spectrum.shape()).containsExactly(3, n, 2);
      double[] values = x.toDoubles();
      double[] transformed = spectrum.toDoubles();
      for (int row = 0; row < 3; row++) {
        for (int k = 0; k < n; k++) {
          double real = 0;
          double imaginary = 0;
          for (int i = 0; i < n; i++) {
            double angle = -2 * Math.PI * k * i / n;
            real += values[row * n + i] * Math.cos(angle);
            imaginary += values[row * n + i] * Math.sin(angle);
          }
          int at = 2 * (row * n + k);
          assertThat(transformed[at]).isCloseTo(real, within(1e-13));
          assertThat(transformed[at + 1]).isCloseTo(imaginary, within(1e-13));
        }
      }
      Tensor half = Shapes.narrow(spectrum, 1, 0, n / 2 + 1);
      double[] back = Fourier.irfft(half, n).toDoubles();
      for (int i = 0; i < values.length; i++) {
        assertThat(back[i]).isCloseTo(values[i], within(1e-14));
      }
    }
  }
}
