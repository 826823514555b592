// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

/**
 * The five PNG row filters (PNG specification, section 9): each replaces bytes by their difference
 * from a prediction. The filter of a row is the one with the smallest sum of absolute differences,
 * as the specification recommends. Holds the buffers of one image being encoded, whose rows are
 * encoded from the top.
 */
final class RowFilter {
  private static final int FILTERS = 5;

  private final int step;
  private final int length;
  private final byte[][] filtered;

  /** The row and the one above it, each preceded by a pixel of zeros. */
  private byte[] row;

  private byte[] above;

  /**
   * Allocates the buffers.
   *
   * @param step bytes per pixel
   * @param length bytes per row
   */
  RowFilter(int step, int length) {
    this.step = step;
    this.length = length;
    this.row = new byte[step + length];
    this.above = new byte[step + length];
    this.filtered = new byte[FILTERS][length + 1];
    for (int type = 0; type < FILTERS; type++) {
      filtered[type][0] = (byte) type;
    }
  }

  /**
   * Returns the best filtered form of the next row.
   *
   * @param data the complete image
   * @param start offset of the row
   * @return the number of the filter and the bytes of the row; valid until the next call
   */
  byte[] next(byte[] data, int start) {
    byte[] free = above;
    above = row;
    row = free;
    System.arraycopy(data, start, row, step, length);
    System.arraycopy(data, start, filtered[0], 1, length);
    left(filtered[1]);
    up(filtered[2]);
    mean(filtered[3]);
    paeth(filtered[4]);
    byte[] best = filtered[0];
    long least = Long.MAX_VALUE;
    for (byte[] candidate : filtered) {
      long size = size(candidate);
      if (size < least) {
        least = size;
        best = candidate;
      }
    }
    return best;
  }

  private static long size(byte[] candidate) {
    long sum = 0;
    for (int i = 1; i < candidate.length; i++) {
      sum += Math.abs(candidate[i]);
    }
    return sum;
  }

  private void left(byte[] out) {
    for (int i = 0; i < length; i++) {
      out[i + 1] = (byte) (row[i + step] - row[i]);
    }
  }

  private void up(byte[] out) {
    for (int i = 0; i < length; i++) {
      out[i + 1] = (byte) (row[i + step] - above[i + step]);
    }
  }

  private void mean(byte[] out) {
    for (int i = 0; i < length; i++) {
      int sum = (row[i] & 0xff) + (above[i + step] & 0xff);
      out[i + 1] = (byte) (row[i + step] - (sum >> 1));
    }
  }

  /** Predicts the neighbour nearest to left + up - corner; ties are resolved in that order. */
  private void paeth(byte[] out) {
    for (int i = 0; i < length; i++) {
      int left = row[i] & 0xff;
      int up = above[i + step] & 0xff;
      int corner = above[i] & 0xff;
      int toLeft = Math.abs(up - corner);
      int toUp = Math.abs(left - corner);
      int toCorner = Math.abs(left + up - 2 * corner);
      int guess = toUp <= toCorner ? up : corner;
      guess = toLeft <= toUp && toLeft <= toCorner ? left : guess;
      out[i + 1] = (byte) (row[i + step] - guess);
    }
  }
}
