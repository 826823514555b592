package org.relaydiffusion.diffusion.data;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.relaydiffusion.FileException;

/** Where a data set's files lie. May be read by several threads at once. */
sealed interface PictureSource extends AutoCloseable permits FolderSource, ZipSource {
  /** The file that holds the labels. */
  String LABELS = "dataset.json";

  /** The largest picture file that is read: room for 4096 x 4096 RGB pixels as they are. */
  int MOST_PICTURE_BYTES = 1 << 26;

  /** The largest file of labels that is read: room for ten million pictures. */
  int MOST_LABEL_BYTES = 1 << 29;

  /** Endings of the pictures that are read. */
  Set<String> READ = Set.of("png", "jpg", "jpeg", "jpe", "jfif");

  /** Endings of pictures that are not: to leave them out silently would be another data set. */
  Set<String> REFUSED =
      Set.of("bmp", "gif", "webp", "tif", "tiff", "ppm", "pgm", "pbm", "jp2", "tga", "avif");

  /**
   * Opens a folder or a zip file.
   *
   * @throws FileException when it is neither, or not readable
   */
  static PictureSource open(Path path) {
    return Files.isDirectory(path) ? FolderSource.open(path) : ZipSource.open(path);
  }

  /** The pictures' names, with slashes, sorted as Python sorts text. */
  List<String> pictures();

  /** The bytes of picture number {@code index}. */
  byte[] read(int index);

  /**
   * What changes when picture number {@code index} does, without reading it.
   *
   * @throws FileException when that cannot be found out
   */
  String stamp(int index);

  /**
   * As {@link #stamp}, but the same for a copy of the files; in a folder, most pictures' sizes
   * alone.
   *
   * @throws FileException when that cannot be found out
   */
  String content(int index);

  /** What messages call picture number {@code index}. */
  Path file(int index);

  /** The bytes of the file of labels, if there is one. */
  Optional<byte[]> labels();

  /** What messages call the file of labels. */
  Path labelFile();

  @Override
  void close();

  /**
   * Whether a file is a picture of the data set.
   *
   * @param name its path
   * @param file what messages call it
   * @throws FileException for a picture of a kind that is not read
   */
  static boolean isPicture(String name, Path file) {
    String ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    if (REFUSED.contains(ending)) {
      throw new FileException(
          file,
          "is a picture of a kind that training does not read (PNG and JPEG): "
              + "'rdm dataset' converts it");
    }
    return READ.contains(ending);
  }
}
