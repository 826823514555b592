// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PaletteTest {
  private static Pixels of(int... colours) {
    Pixels pixels = Pixels.black(colours.length, 1, 3);
    for (int i = 0; i < pixels.data().length; i++) {
      pixels.data()[i] = (byte) (colours[i / 3] >> (16 - 8 * (i % 3)));
    }
    return pixels;
  }

  private static int[] colours(Palette palette) {
    return IntStream.range(0, palette.size()).map(palette::colour).toArray();
  }

  @Test
  void fewColoursAreKept() {
    assertThat(colours(Palette.of(of(0xff0000, 0x00ff00, 0xff0000, 0x000001))))
        .containsExactlyInAnyOrder(0xff0000, 0x00ff00, 0x000001);
    assertThat(colours(Palette.of(of(0xffffff)))).containsExactly(0xffffff);
    assertThat(colours(Palette.of(Pixels.black(3, 3, 1)))).containsExactly(0);
    int[] all = IntStream.range(0, 256).map(i -> i * 0x010307 & 0xffffff).toArray();
    assertThat(colours(Palette.of(of(all)))).containsExactlyInAnyOrder(all);
  }

  @Test
  void oneColourTooManyJoinsTheTwoThatAreClosest() {
    // Multiples of 30 on three axes are far apart; one colour has a neighbour at distance 1.
    int[] all = new int[257];
    for (int i = 0; i < 256; i++) {
      all[i] = (i / 64 * 60) << 16 | (i / 8 % 8 * 30) << 8 | i % 8 * 30;
    }
    all[256] = all[100] + 1;
    int[] found = colours(Palette.of(of(all)));
    assertThat(found).hasSize(256).contains(all[99], all[101]);
    assertThat(IntStream.of(all).filter(c -> IntStream.of(found).noneMatch(f -> f == c)))
        .hasSizeLessThanOrEqualTo(2);
  }

  @Test
  void theNearestColourIsThatOfAFullSearch() {
    Random random = new Random(1);
    for (Pixels pixels :
        new Pixels[] {
          Pictures.noise(100, 100, 3),
          Pictures.smooth(200, 200, 3),
          of(0x808080, 0x808081, 0x7f8080)
        }) {
      Palette palette = Palette.of(pixels);
      for (int round = 0; round < 20_000; round++) {
        int red = random.nextInt(256);
        int green = random.nextInt(256);
        int blue = round % 2 == 0 ? random.nextInt(256) : red;
        int found = distance(palette.colour(palette.nearest(red, green, blue)), red, green, blue);
        int least =
            IntStream.of(colours(palette)).map(c -> distance(c, red, green, blue)).min().orElse(-1);
        assertThat(found).isEqualTo(least);
      }
    }
  }

  @Test
  void aNarrowRangeIsDividedFinely() {
    // 27,000 colours in a cube of 30: with 256, none is further than half a side of 30 / 6.
    Random random = new Random(2);
    int[] colours = new int[60_000];
    for (int i = 0; i < colours.length; i++) {
      colours[i] =
          0x646464 + random.nextInt(30) * 0x10000 + random.nextInt(30) * 0x100 + random.nextInt(30);
    }
    Palette palette = Palette.of(of(colours));
    assertThat(palette.size()).isEqualTo(256);
    double sum = 0;
    for (int rgb : colours) {
      int red = rgb >> 16;
      int green = rgb >> 8 & 0xff;
      int blue = rgb & 0xff;
      sum +=
          Math.sqrt(distance(palette.colour(palette.nearest(red, green, blue)), red, green, blue));
    }
    assertThat(sum / colours.length).isLessThan(3.5);
  }

  private static int distance(int rgb, int red, int green, int blue) {
    int r = (rgb >> 16) - red;
    int g = (rgb >> 8 & 0xff) - green;
    int b = (rgb & 0xff) - blue;
    return r * r + g * g + b * b;
  }
}
