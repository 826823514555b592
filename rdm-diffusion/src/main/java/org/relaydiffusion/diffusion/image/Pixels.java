package org.relaydiffusion.diffusion.image;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An 8-bit picture: grey (1 channel) or RGB (3), row by row from the top left, the channels of a
 * pixel side by side ([H, W, C]). Two are equal when their sizes and bytes are.
 */
public final class Pixels {
  private final int width;
  private final int height;
  private final int channels;
  private final byte[] data;

  /**
   * Wraps bytes as a picture.
   *
   * @param width in pixels, at least 1
   * @param height in pixels, at least 1
   * @param channels 1 (grey) or 3 (RGB)
   * @param data [height, width, channels], unsigned; used as it is, not copied
   * @throws IllegalArgumentException when the length is not that of such a picture
   */
  public Pixels(int width, int height, int channels, byte[] data) {
    if (data.length != length(width, height, channels)) {
      throw new IllegalArgumentException(
          "a picture of %s x %s with %s channels needs %s bytes, not %s"
              .formatted(width, height, channels, length(width, height, channels), data.length));
    }
    this.width = width;
    this.height = height;
    this.channels = channels;
    this.data = data;
  }

  /** A black picture; parameters as in the constructor. */
  public static Pixels black(int width, int height, int channels) {
    return new Pixels(width, height, channels, new byte[length(width, height, channels)]);
  }

  private static int length(int width, int height, int channels) {
    if (width < 1 || height < 1 || (channels != 1 && channels != 3)) {
      throw new IllegalArgumentException(
          "a picture has 1 or 3 channels and a side of at least 1, not %s x %s with %s channels"
              .formatted(width, height, channels));
    }
    // No overflow: the product of two positive ints times 3 fits a long.
    long length = (long) width * height * channels;
    if (length > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "a picture of %s x %s with %s channels is larger than an array can be"
              .formatted(width, height, channels));
    }
    return (int) length;
  }

  /** Columns. */
  public int width() {
    return width;
  }

  /** Rows. */
  public int height() {
    return height;
  }

  /** 1 (grey) or 3 (red, green, blue). */
  public int channels() {
    return channels;
  }

  /**
   * The bytes themselves, [height, width, channels]: whoever writes to them changes the picture.
   */
  public byte[] data() {
    return data;
  }

  /** One value, 0 to 255. */
  public int value(int x, int y, int channel) {
    if (x < 0 || x >= width || y < 0 || y >= height || channel < 0 || channel >= channels) {
      throw new IndexOutOfBoundsException(
          "no value (%s, %s, %s) in %s".formatted(x, y, channel, this));
    }
    return data[(y * width + x) * channels + channel] & 0xff;
  }

  /** This picture with 3 channels: itself, or a copy with the grey repeated. */
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

  /** A copy of the bytes with the channels one behind the other: [channels, height, width]. */
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
    return "a picture of %s x %s with %s channels".formatted(width, height, channels);
  }
}
