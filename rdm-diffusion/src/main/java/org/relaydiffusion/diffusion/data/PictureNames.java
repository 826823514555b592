package org.relaydiffusion.diffusion.data;

import java.util.Comparator;
import java.util.Locale;
import java.util.Set;

/** Which files of a folder or archive are pictures of a data set, and in which order they come. */
final class PictureNames {
  /**
   * What counts as a picture, read or not: one that cannot be read must be an error, not a gap that
   * moves the numbers of those behind it.
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

  /** The order of names in which a data set's pictures come. */
  static Comparator<String> order(PictureSource.Order order) {
    return switch (order) {
      case NAMES -> (a, b) -> compare(a, b, '/');
      case PATHS -> (a, b) -> compare(a, b, -1);
    };
  }

  /**
   * By code points, as Python sorts text; Java's own order is by UTF-16 units.
   *
   * @param slash what a slash counts as: less than every character sorts folder by folder
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

  /** Surrogates stand for code points above all that have one unit. */
  private static int rank(char unit, int slash) {
    return unit == '/' ? slash : Character.isSurrogate(unit) ? unit + 0x10000 : unit;
  }
}
