// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.relaydiffusion.FileException;

/**
 * The files of a data set, in a folder or a zip, for training, evaluation and the data set tool.
 * May be read by several threads concurrently.
 */
public sealed interface PictureSource extends AutoCloseable permits FolderSource, ZipSource {
  /** The name of the file with the labels. */
  String LABELS = "dataset.json";

  /** The maximum size of a label file: sufficient for ten million images. */
  int MOST_LABEL_BYTES = 1 << 29;

  /** The order of the images. */
  enum Order {
    /** By complete names, as Python sorts text. */
    NAMES,
    /** Folder by folder, as Python sorts paths: {@code a/x} precedes {@code a-b/x}. */
    PATHS;

    /** Returns the comparator of names. */
    public Comparator<String> comparator() {
      return PictureNames.order(this);
    }
  }

  /**
   * Opens a folder or a zip file; links to folders are followed. The caller closes it.
   *
   * @throws FileException if it is neither, or not readable
   */
  static PictureSource open(Path path, Order order) {
    return Files.isDirectory(path) ? FolderSource.open(path, order) : ZipSource.open(path, order);
  }

  /** Returns the folder or file. */
  Path path();

  /** Returns the names of the images, with slashes, in order. */
  List<String> pictures();

  /** Returns the total number of files. */
  int files();

  /** Returns what was not taken for an image of the set. */
  LeftOut leftOut();

  /**
   * Returns the same source without some of its images; it takes over the ownership of this one's
   * files.
   */
  PictureSource without(Set<String> names);

  /** Returns the content of image {@code index}, at most 2^29 bytes. */
  byte[] read(int index);

  /**
   * Returns a part of image {@code index} from each end, without reading it completely.
   *
   * @param most maximum number of bytes of each
   */
  Ends ends(int index, int most);

  /**
   * Returns a text that changes with image {@code index}, without reading it.
   *
   * @throws FileException if it cannot be determined
   */
  String stamp(int index);

  /**
   * Returns a text like {@link #stamp} that is unchanged for a copy of the files; in a folder, only
   * the size for most images.
   *
   * @throws FileException if it cannot be determined
   */
  String content(int index);

  /** Returns the name of image {@code index} in messages. */
  Path file(int index);

  /** Returns the content of the label file, if there is one. */
  Optional<byte[]> labels();

  /** Returns the name of the label file in messages. */
  Path labelFile();

  @Override
  void close();

  /**
   * The ends of a file.
   *
   * @param start its first bytes
   * @param end its last bytes; empty if they cannot be read without unpacking everything
   * @param size number of bytes
   */
  record Ends(byte[] start, byte[] end, long size) {
    /** Returns whether the first bytes are the whole file. */
    boolean isWhole() {
      return start.length == size;
    }
  }
}
