// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

/** The eight orientations of an image, by the numbers of TIFF and EXIF. */
final class Orientation {
  private static final int UPRIGHT = 1;
  private static final int FIRST_SWAPPED = 5;
  private static final int LAST = 8;

  private Orientation() {}

  /** Returns whether rows and columns are exchanged. */
  static boolean swapsSides(int orientation) {
    return orientation >= FIRST_SWAPPED && orientation <= LAST;
  }

  /** Returns the image upright: itself for 1 and for invalid numbers. */
  static Pixels apply(int orientation, Pixels lying) {
    if (orientation <= UPRIGHT || orientation > LAST) {
      return lying;
    }
    boolean isSwapped = swapsSides(orientation);
    int width = isSwapped ? lying.height() : lying.width();
    int height = isSwapped ? lying.width() : lying.height();
    // Whether the stored columns and rows are counted from their end.
    boolean isFromRight = orientation == 2 || orientation == 3 || orientation >= 7;
    boolean isFromBottom =
        orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    int channels = lying.channels();
    Pixels upright = Pixels.black(width, height, channels);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int column = isSwapped ? y : x;
        int row = isSwapped ? x : y;
        column = isFromRight ? lying.width() - 1 - column : column;
        row = isFromBottom ? lying.height() - 1 - row : row;
        System.arraycopy(
            lying.data(),
            (row * lying.width() + column) * channels,
            upright.data(),
            (y * width + x) * channels,
            channels);
      }
    }
    return upright;
  }
}
