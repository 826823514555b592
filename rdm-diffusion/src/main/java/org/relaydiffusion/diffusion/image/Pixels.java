// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An 8-bit image: grayscale (1 channel) or RGB (3), row by row from the top left, with interleaved
 * channels ([H, W, C]). Two images are equal if their sizes and bytes are.
 */
public final class Pixels {
  private final int width;
  private final int height;
  private final int channels;
  private final byte[] data;

  /**
   * Wraps bytes as an image.
   *
   * @param width in pixels, at least 1
   * @param height in pixels, at least 1
   * @param channels 1 (grayscale) or 3 (RGB)
   * @param data [height, width, channels], unsigned; not copied
   * @throws IllegalArgumentException if the length does not match
   */
  public Pixels(int width, int height, int channels, byte[] data) {
    if (data.length != length(width, height, channels)) {
      throw new IllegalArgumentException(
          "an image of %s x %s with %s channels has %s bytes, but found %s"
              .formatted(width, height, channels, length(width, height, channels), data.length));
    }
    this.width = width;
    this.height = height;
    this.channels = channels;
    this.data = data;
  }

  /** Returns a black image; parameters as in the constructor. */
  public static Pixels black(int width, int height, int channels) {
    return new Pixels(width, height, channels, new byte[length(width, height, channels)]);
  }

  private static int length(int width, int height, int channels) {
    if (width < 1 || height < 1 || (channels != 1 && channels != 3)) {
      throw new IllegalArgumentException(
          ("an image must have 1 or 3 channels and sides of at least 1, but found %s x %s with %s"
                  + " channels")
              .formatted(width, height, channels));
    }
    // No overflow: the product of two positive ints and 3 fits in a long.
    long length = (long) width * height * channels;
    if (length > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "an image of %s x %s with %s channels exceeds the maximum size of an array"
              .formatted(width, height, channels));
    }
    return (int) length;
  }

  /** Returns the number of columns. */
  public int width() {
    return width;
  }

  /** Returns the number of rows. */
  public int height() {
    return height;
  }

  /** Returns the number of channels: 1 (grayscale) or 3 (red, green, blue). */
  public int channels() {
    return channels;
  }

  /** Returns the bytes themselves, [height, width, channels]: modifying them modifies the image. */
  public byte[] data() {
    return data;
  }

  /** Returns one value, 0 to 255. */
  public int value(int x, int y, int channel) {
    if (x < 0 || x >= width || y < 0 || y >= height || channel < 0 || channel >= channels) {
      throw new IndexOutOfBoundsException(
          "no value (%s, %s, %s) in %s".formatted(x, y, channel, this));
    }
    return data[(y * width + x) * channels + channel] & 0xff;
  }

  /** Returns this image with 3 channels: itself, or a copy with the grey value repeated. */
  public Pixels toRgb() {
    if (channels == 3) {
      return this;
    }
    Pixels rgb = black(width, height, 3);
    for (int i = 0; i < data.length; i++) {
      Arrays.fill(rgb.data, 3 * i, 3 * i + 3, data[i]);
    }
    return rgb;
  }

  /** Returns a copy of the bytes in planar layout: [channels, height, width]. */
  public byte[] planes() {
    if (channels == 1) {
      return data.clone();
    }
    byte[] planes = new byte[data.length];
    int plane = width * height;
    for (int i = 0; i < plane; i++) {
      planes[i] = data[3 * i];
      planes[plane + i] = data[3 * i + 1];
      planes[2 * plane + i] = data[3 * i + 2];
    }
    return planes;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Pixels that
        && width == that.width
        && height == that.height
        && channels == that.channels
        && Arrays.equals(data, that.data);
  }

  @Override
  public int hashCode() {
    return (31 * width + height) * 31 + Arrays.hashCode(data);
  }

  @Override
  public String toString() {
    return "an image of %s x %s with %s channels".formatted(width, height, channels);
  }
}
