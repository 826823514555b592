package org.relaydiffusion.diffusion.data.convert;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;
import java.util.Set;

/** Which files of a folder or archive are pictures, and in which order they come. */
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

  /** Python's order of texts: by code points, of which UTF-8 keeps the order. */
  static int compareText(String a, String b) {
    return Arrays.compareUnsigned(
        a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
  }

  /** Python's order of paths: folder by folder, so that {@code a/x} comes before {@code a-b/x}. */
  static Comparator<String> pathOrder() {
    return (a, b) -> Arrays.compare(a.split("/", -1), b.split("/", -1), PictureNames::compareText);
  }

  /** The first folder of a name, "" for a file beside the folders. */
  static String topFolder(String name) {
    int slash = name.indexOf('/');
    return slash < 0 ? "" : name.substring(0, slash);
  }
}
