// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.util.Objects;

/**
 * Converts a network's values (-1 is black, 1 is white) to 8-bit pixels: {@code clip(127.5 x + 128,
 * 0, 255)} truncated, in the precision of the input, as in the reference. NaN becomes 0.
 */
public final class PixelValues {
  private PixelValues() {}

  /** Converts one float64 value. */
  public static byte toByte(double value) {
    return (byte) (int) Math.clamp(value * 127.5 + 128, 0.0, 255.0);
  }

  /** Converts one float32 value. */
  public static byte toByte(float value) {
    return (byte) (int) Math.clamp(value * 127.5f + 128, 0.0f, 255.0f);
  }

  /**
   * Converts one image of a float64 batch [N, C, H, W].
   *
   * @param batch the values of the batch; not modified
   * @param index of the image, from 0
   * @param channels C: 1 or 3
   * @param height H
   * @param width W
   */
  public static Pixels picture(double[] batch, int index, int channels, int height, int width) {
    Pixels pixels = Pixels.black(width, height, channels);
    int plane = width * height;
    int start = start(batch.length, index, plane * channels);
    byte[] data = pixels.data();
    for (int c = 0; c < channels; c++) {
      for (int i = 0; i < plane; i++) {
        data[i * channels + c] = toByte(batch[start + c * plane + i]);
      }
    }
    return pixels;
  }

  /** Converts one image of a float32 batch, as {@link #picture(double[], int, int, int, int)}. */
  public static Pixels picture(float[] batch, int index, int channels, int height, int width) {
    Pixels pixels = Pixels.black(width, height, channels);
    int plane = width * height;
    int start = start(batch.length, index, plane * channels);
    byte[] data = pixels.data();
    for (int c = 0; c < channels; c++) {
      for (int i = 0; i < plane; i++) {
        data[i * channels + c] = toByte(batch[start + c * plane + i]);
      }
    }
    return pixels;
  }

  private static int start(int length, int index, int size) {
    long start = (long) index * size;
    Objects.checkFromIndexSize(start, size, length);
    return (int) start;
  }
}
