// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.util.Random;

/** Pictures for tests. */
final class Pictures {
  private Pictures() {}

  /** Every byte random, the same ones each time. */
  static Pixels noise(int width, int height, int channels) {
    Pixels pixels = Pixels.black(width, height, channels);
    new Random(width * 31L + height).nextBytes(pixels.data());
    return pixels;
  }

  /** Slow waves, such as compress well. */
  static Pixels smooth(int width, int height, int channels) {
    Pixels pixels = Pixels.black(width, height, channels);
    byte[] data = pixels.data();
    for (int i = 0; i < data.length; i++) {
      int x = i / channels % width;
      int y = i / channels / width;
      data[i] = (byte) (128 + 100 * Math.sin(x * 0.02 + y * 0.01 + i % channels));
    }
    return pixels;
  }
}
