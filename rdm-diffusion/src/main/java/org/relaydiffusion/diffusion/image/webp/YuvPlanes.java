// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

/**
 * Luma and chroma of an image in whole macroblocks, with chroma at half the width and height, and
 * their conversion to RGB as in libwebp's default: chroma is interpolated from the four samples
 * around a pixel with the weights 9, 3, 3 and 1, and multiplied in fixed point.
 */
final class YuvPlanes {
  final byte[] y;
  final byte[] u;
  final byte[] v;
  private final int width;
  private final int height;
  private final int uvStride;

  YuvPlanes(int width, int height) {
    this.width = width;
    this.height = height;
    this.uvStride = (width + 15) / 16 * 8;
    int uvRows = (height + 15) / 16 * 8;
    this.y = new byte[4 * uvStride * uvRows];
    this.u = new byte[uvStride * uvRows];
    this.v = new byte[uvStride * uvRows];
  }

  int yStride() {
    return 2 * uvStride;
  }

  int uvStride() {
    return uvStride;
  }

  int yAt(int x, int row) {
    return row * 2 * uvStride + x;
  }

  int uvAt(int x, int row) {
    return row * uvStride + x;
  }

  /** Returns the image, [H, W, 3]. */
  byte[] toRgb() {
    byte[] rgb = new byte[3 * width * height];
    int lastChroma = (height + 1) / 2 - 1;
    for (int row = 0; row < height; row++) {
      // The chroma row of a pixel, and the nearer one of those above and below it.
      int near = row / 2;
      int far = (row & 1) == 0 ? Math.max(0, near - 1) : Math.min(lastChroma, near + 1);
      convertRow(row, near * uvStride, far * uvStride, rgb);
    }
    return rgb;
  }

  private void convertRow(int row, int near, int far, byte[] rgb) {
    int luma = yAt(0, row);
    int out = 3 * row * width;
    convert(y[luma], ends(u, near, far), ends(v, near, far), rgb, out);
    int last = (width - 1) / 2;
    for (int x = 1; x <= last; x++) {
      int left = out + 3 * (2 * x - 1);
      int n = near + x;
      int f = far + x;
      convert(
          y[luma + 2 * x - 1],
          between(u, n - 1, n, f - 1, f),
          between(v, n - 1, n, f - 1, f),
          rgb,
          left);
      convert(
          y[luma + 2 * x],
          between(u, n, n - 1, f, f - 1),
          between(v, n, n - 1, f, f - 1),
          rgb,
          left + 3);
    }
    if ((width & 1) == 0) {
      convert(
          y[luma + width - 1],
          ends(u, near + last, far + last),
          ends(v, near + last, far + last),
          rgb,
          out + 3 * (width - 1));
    }
  }

  /** Interpolates at the left and right end of a row. */
  private static int ends(byte[] plane, int near, int far) {
    return (3 * (plane[near] & 0xff) + (plane[far] & 0xff) + 2) >> 2;
  }

  /** Interpolates with weight 9 for the first sample and 1 for the last; rounded in two steps. */
  private static int between(byte[] plane, int near, int beside, int far, int across) {
    int a = plane[near] & 0xff;
    int b = plane[beside] & 0xff;
    int c = plane[far] & 0xff;
    int d = plane[across] & 0xff;
    return (((a + 3 * b + 3 * c + d + 8) >> 3) + a) >> 1;
  }

  private static void convert(byte luma, int u, int v, byte[] rgb, int at) {
    int y = ((luma & 0xff) * 19077) >> 8;
    rgb[at] = clipped(y + ((v * 26149) >> 8) - 14234);
    rgb[at + 1] = clipped(y - ((u * 6419) >> 8) - ((v * 13320) >> 8) + 8708);
    rgb[at + 2] = clipped(y + ((u * 33050) >> 8) - 17685);
  }

  /** Converts from 6 fractional bits. */
  private static byte clipped(int value) {
    return (byte) Math.clamp(value >> 6, 0, 255);
  }
}
