// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

/**
 * Reverses the five PNG row filters (PNG specification, section 9) of 8-bit images, row by row from
 * the top: each byte is a prediction from known bytes plus the stored difference.
 */
final class RowUnfilter {
  private final int channels;
  private final int row;

  /** The row above the first row. */
  private final byte[] black;

  /**
   * Creates the state for an image.
   *
   * @param channels bytes per pixel: 1 or 3
   * @param row bytes per row, at least 1
   */
  RowUnfilter(int channels, int row) {
    this.channels = channels;
    this.row = row;
    this.black = new byte[row];
  }

  /**
   * Restores a row.
   *
   * @param rows contains the number of the filter at {@code from}, followed by the differences
   * @param pixels the image, in which the rows above are restored
   * @param to offset of the row
   * @return false if the filter is unknown
   */
  boolean next(byte[] rows, int from, byte[] pixels, int to) {
    byte[] above = to == 0 ? black : pixels;
    int up = Math.max(0, to - row);
    switch (rows[from]) {
      case 0 -> System.arraycopy(rows, from + 1, pixels, to, row);
      case 1 -> sub(rows, from + 1, pixels, to);
      case 2 -> up(rows, from + 1, pixels, to, above, up);
      case 3 -> average(rows, from + 1, pixels, to, above, up);
      case 4 -> paeth(rows, from + 1, pixels, to, above, up);
      default -> {
        return false;
      }
    }
    return true;
  }

  private void sub(byte[] rows, int from, byte[] pixels, int to) {
    for (int c = 0; c < channels; c++) {
      int left = 0;
      for (int i = c; i < row; i += channels) {
        left += rows[from + i];
        pixels[to + i] = (byte) left;
      }
    }
  }

  private void up(byte[] rows, int from, byte[] pixels, int to, byte[] above, int up) {
    for (int i = 0; i < row; i++) {
      pixels[to + i] = (byte) (rows[from + i] + above[up + i]);
    }
  }

  private void average(byte[] rows, int from, byte[] pixels, int to, byte[] above, int up) {
    if (channels == 3) {
      averageRgb(rows, from, pixels, to, above, up);
      return;
    }
    int left = 0;
    for (int i = 0; i < row; i++) {
      left = mean(rows[from + i], left, above[up + i]);
      pixels[to + i] = (byte) left;
    }
  }

  /** Each value depends on the one to its left, so three adjacent chains are interleaved. */
  private void averageRgb(byte[] rows, int from, byte[] pixels, int to, byte[] above, int up) {
    int r = 0;
    int g = 0;
    int b = 0;
    for (int i = 0; i < row; i += 3) {
      r = mean(rows[from + i], r, above[up + i]);
      g = mean(rows[from + i + 1], g, above[up + i + 1]);
      b = mean(rows[from + i + 2], b, above[up + i + 2]);
      pixels[to + i] = (byte) r;
      pixels[to + i + 1] = (byte) g;
      pixels[to + i + 2] = (byte) b;
    }
  }

  private static int mean(byte difference, int left, byte top) {
    return (difference + ((left + (top & 0xff)) >> 1)) & 0xff;
  }

  private void paeth(byte[] rows, int from, byte[] pixels, int to, byte[] above, int up) {
    if (channels == 3) {
      paethRgb(rows, from, pixels, to, above, up);
      return;
    }
    int left = 0;
    int corner = 0;
    for (int i = 0; i < row; i++) {
      int top = above[up + i] & 0xff;
      left = nearest(rows[from + i], left, top, corner);
      corner = top;
      pixels[to + i] = (byte) left;
    }
  }

  private void paethRgb(byte[] rows, int from, byte[] pixels, int to, byte[] above, int up) {
    int r = 0;
    int g = 0;
    int b = 0;
    int cornerR = 0;
    int cornerG = 0;
    int cornerB = 0;
    for (int i = 0; i < row; i += 3) {
      int topR = above[up + i] & 0xff;
      int topG = above[up + i + 1] & 0xff;
      int topB = above[up + i + 2] & 0xff;
      r = nearest(rows[from + i], r, topR, cornerR);
      g = nearest(rows[from + i + 1], g, topG, cornerG);
      b = nearest(rows[from + i + 2], b, topB, cornerB);
      cornerR = topR;
      cornerG = topG;
      cornerB = topB;
      pixels[to + i] = (byte) r;
      pixels[to + i + 1] = (byte) g;
      pixels[to + i + 2] = (byte) b;
    }
  }

  /**
   * Returns a difference plus its prediction: the neighbour of left, top and corner nearest to left
   * + top - corner, the first of ties. With 3 corner - left - top at or below the smaller
   * neighbour, that is the larger one; at or above the larger neighbour, the smaller one; and
   * between them the corner. Written without branches, which noise would make unpredictable.
   */
  static int nearest(byte difference, int left, int top, int corner) {
    int balance = 3 * corner - left - top;
    int smaller = Math.min(left, top);
    int larger = Math.max(left, top);
    // All ones, or zeros.
    int isBelow = (balance - larger) >> 31;
    int isAbove = (smaller - balance) >> 31;
    int guess = (larger & ~isAbove) | (isAbove & ((smaller & ~isBelow) | (corner & isBelow)));
    return (difference + guess) & 0xff;
  }
}
