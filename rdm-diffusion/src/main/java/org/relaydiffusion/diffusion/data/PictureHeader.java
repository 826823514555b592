// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.util.Arrays;

/** Properties of an image file that can be determined from its ends without decoding. */
final class PictureHeader {
  private static final int PNG_DEPTH = 24;
  private static final int PNG_COLOUR = 25;
  private static final int SHORTEST_PNG = 33;

  /** Baseline, extended and progressive; followed by lossless, hierarchical and arithmetic. */
  private static final int LAST_FRAME = 0xc2;

  private static final byte[] PNG_END = {'I', 'E', 'N', 'D', (byte) 0xae, 0x42, 0x60, (byte) 0x82};

  private PictureHeader() {}

  /**
   * Returns whether an image is known not to be truncated: a PNG that ends with its last chunk, or
   * a JPEG with its end marker. For other formats, and files with data after the image, this must
   * be determined otherwise.
   */
  static boolean isWhole(PictureSource.Ends ends) {
    byte[] end = ends.end();
    if (isPng(ends.start())) {
      return end.length >= PNG_END.length
          && Arrays.equals(
              end, end.length - PNG_END.length, end.length, PNG_END, 0, PNG_END.length);
    }
    return isJpeg(ends.start())
        && end.length >= 2
        && end[end.length - 2] == (byte) 0xff
        && end[end.length - 1] == (byte) 0xd9;
  }

  /**
   * Returns 1 for a grayscale image, 3 for any other; 0 if its first bytes do not determine this,
   * or belong to an unsupported kind, which decoding reports by name.
   */
  static int channels(byte[] start) {
    if (isPng(start)) {
      return pngChannels(start[PNG_COLOUR], start[PNG_DEPTH]);
    }
    return isJpeg(start) ? jpegChannels(start) : 0;
  }

  /** The combinations of the specification; others are invalid. */
  private static int pngChannels(int colour, int depth) {
    boolean isSmall = depth == 1 || depth == 2 || depth == 4;
    return switch (colour) {
      case 0 -> isSmall || depth == 8 ? 1 : 0;
      case 2, 6 -> depth == 8 || depth == 16 ? 3 : 0;
      case 3 -> isSmall || depth == 8 ? 3 : 0;
      default -> 0;
    };
  }

  private static int jpegChannels(byte[] start) {
    int at = 2;
    while (at + 9 < start.length && start[at] == (byte) 0xff) {
      int marker = start[at + 1] & 0xff;
      boolean isFrame =
          marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
      if (isFrame) {
        if (marker > LAST_FRAME || start[at + 4] != 8) {
          return 0;
        }
        return switch (start[at + 9]) {
          case 1 -> 1;
          case 3, 4 -> 3;
          default -> 0;
        };
      }
      at += 2 + Math.max(2, (start[at + 2] & 0xff) << 8 | (start[at + 3] & 0xff));
    }
    return 0;
  }

  private static boolean isPng(byte[] start) {
    return start.length >= SHORTEST_PNG && start[0] == (byte) 0x89 && start[1] == 'P';
  }

  private static boolean isJpeg(byte[] start) {
    return start.length > 3 && start[0] == (byte) 0xff && start[1] == (byte) 0xd8;
  }
}
