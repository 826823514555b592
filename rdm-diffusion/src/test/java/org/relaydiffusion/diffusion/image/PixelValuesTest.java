// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

class PixelValuesTest {
  private static final Fixture FIXTURE = Fixture.of("samplers/save_and_enhance");

  @Test
  void batchesBecomeThePixelsOfTheReference() {
    // samplers/save_and_enhance: exact.
    double[] batch = FIXTURE.doubles("x");
    ByteArrayOutputStream pixels = new ByteArrayOutputStream();
    for (int i = 0; i < 2; i++) {
      pixels.writeBytes(PixelValues.picture(batch, i, 3, 32, 32).data());
    }
    assertThat(pixels.toByteArray()).isEqualTo(FIXTURE.bytes("u8_nhwc"));
  }

  @Test
  void edgesAreThoseOfTheReference() {
    // samplers/save_and_enhance: exact; infinities included.
    double[] edges = FIXTURE.doubles("x_edges");
    byte[] expected = FIXTURE.bytes("u8_edges");
    for (int i = 0; i < edges.length; i++) {
      assertThat(PixelValues.toByte(edges[i])).as("%s", edges[i]).isEqualTo(expected[i]);
    }
    assertThat(PixelValues.toByte(Double.NaN)).isZero();
    assertThat(PixelValues.toByte(Float.NaN)).isZero();
  }

  @Test
  void float32IsConvertedInItsOwnPrecision() {
    // 127.5 * 0.9960784 + 128 is just below 255 in float64 and rounds to 255 in float32.
    assertThat(PixelValues.toByte(0.9960784f)).isEqualTo((byte) 255);
    assertThat(PixelValues.toByte((double) 0.9960784f)).isEqualTo((byte) 254);
    float[] batch = {-1, -1, 1, 0, -1, 1, 0, 1};
    assertThat(PixelValues.picture(batch, 1, 1, 2, 2).data())
        .containsExactly(0, (byte) 255, (byte) 128, (byte) 255);
  }

  @Test
  void picturesBeyondTheBatchAreRefused() {
    assertThatThrownBy(() -> PixelValues.picture(new double[12], 1, 3, 2, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> PixelValues.picture(new float[12], 0, 4, 1, 3))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aBatchIsConvertedAtOnceAsItsImagesAre() {
    double[] values = new double[2 * 3 * 4 * 5];
    for (int i = 0; i < values.length; i++) {
      values[i] = -1.1 + 2.2 * i / values.length;
    }
    values[7] = Double.NaN;
    values[8] = Double.POSITIVE_INFINITY;
    values[9] = Double.NEGATIVE_INFINITY;
    values[10] = 0.9960784;
    try (TensorScope _ = TensorScope.open()) {
      Tensor batch = Torch.tensor(values, 2, 3, 4, 5);
      Tensor singles = batch.to(DType.FLOAT32);
      float[] floats = singles.toFloats();

      assertThat(PixelValues.pictures(batch))
          .containsExactly(
              PixelValues.picture(values, 0, 3, 4, 5), PixelValues.picture(values, 1, 3, 4, 5));
      assertThat(PixelValues.pictures(singles))
          .containsExactly(
              PixelValues.picture(floats, 0, 3, 4, 5), PixelValues.picture(floats, 1, 3, 4, 5));
      assertThat(batch.toDoubles()).isEqualTo(values);
      assertThat(PixelValues.pictures(Torch.ones(DType.FLOAT64, 0, 3, 4, 5))).isEmpty();
    }
  }
}
