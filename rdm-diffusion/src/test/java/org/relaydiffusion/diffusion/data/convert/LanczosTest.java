// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.image.Pixels;

class LanczosTest {
  /** Fixture dataset/lanczos: every byte, as the arithmetic is in whole numbers. */
  @ParameterizedTest
  @CsvSource({
    "33, 21, 3, 64, 64",
    "100, 80, 3, 16, 16",
    "7, 5, 1, 32, 32",
    "64, 64, 3, 32, 48",
    "50, 50, 3, 50, 50",
    "3, 200, 1, 8, 16",
    "65, 33, 1, 64, 32",
    "1, 1, 3, 4, 4",
    "17, 16, 3, 16, 16",
    "16, 17, 1, 16, 16"
  })
  void everyByteIsPillows(int width, int height, int channels, int toWidth, int toHeight) {
    Fixture fixture = Fixture.of("dataset/lanczos");
    String name = "%sx%sx%s_to_%sx%s".formatted(width, height, channels, toWidth, toHeight);
    Pixels in = new Pixels(width, height, channels, fixture.bytes(name + ".in"));

    Pixels out = Lanczos.resize(in, new Resolution(toWidth, toHeight));

    assertThat(out)
        .isEqualTo(new Pixels(toWidth, toHeight, channels, fixture.bytes(name + ".out")));
  }

  @Test
  void onePlainColourStaysThatColour() {
    Pixels grey = Pixels.black(91, 13, 1);
    java.util.Arrays.fill(grey.data(), (byte) 201);

    assertThat(Lanczos.resize(grey, new Resolution(32, 128)).data()).containsOnly(201);
  }
}
