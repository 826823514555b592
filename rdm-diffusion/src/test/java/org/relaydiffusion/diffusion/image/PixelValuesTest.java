// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.fixture.Fixture;

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
}
