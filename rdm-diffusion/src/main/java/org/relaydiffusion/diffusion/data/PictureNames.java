// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.util.Comparator;
import java.util.Locale;
import java.util.Set;

/** Determines which files of a folder or archive are images of a data set, and their order. */
final class PictureNames {
  /**
   * The extensions of images, supported or not: an unsupported image must be an error, not a gap
   * that shifts the numbers of the following ones.
   */
  private static final Set<String> EXTENSIONS =
      Set.of(
          "png", "apng", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "gif", "tif", "tiff", "webp",
          "avif", "ppm", "pgm", "pbm", "pnm", "jp2", "j2k", "jpx", "tga", "pcx", "dds", "psd",
          "ico", "icns", "sgi", "xbm", "xpm");

  private PictureNames() {}

  static boolean isPicture(String name) {
    int dot = name.lastIndexOf('.');
    return dot > name.lastIndexOf('/')
        && EXTENSIONS.contains(name.substring(dot + 1).toLowerCase(Locale.ROOT));
  }

  /** The order of the names of a data set's images. */
  static Comparator<String> order(PictureSource.Order order) {
    return switch (order) {
      case NAMES -> (a, b) -> compare(a, b, '/');
      case PATHS -> (a, b) -> compare(a, b, -1);
    };
  }

  /**
   * Compares by code points, as Python sorts text; Java compares UTF-16 units.
   *
   * @param slash the value of a slash: less than every character sorts folder by folder
   */
  private static int compare(String a, String b, int slash) {
    int shared = Math.min(a.length(), b.length());
    for (int i = 0; i < shared; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        return rank(x, slash) - rank(y, slash);
      }
    }
    return a.length() - b.length();
  }

  /** Surrogates represent code points above all that have one unit. */
  private static int rank(char unit, int slash) {
    return unit == '/' ? slash : Character.isSurrogate(unit) ? unit + 0x10000 : unit;
  }
}
