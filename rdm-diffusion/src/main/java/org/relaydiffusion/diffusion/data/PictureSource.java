package org.relaydiffusion.diffusion.data;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.relaydiffusion.FileException;

/**
 * The files of a data set, in a folder or a zip: what training, evaluation and the data set tool
 * read pictures from. May be read by several threads at once.
 */
public sealed interface PictureSource extends AutoCloseable permits FolderSource, ZipSource {
  /** The file that holds the labels. */
  String LABELS = "dataset.json";

  /** The largest file of labels that is read: room for ten million pictures. */
  int MOST_LABEL_BYTES = 1 << 29;

  /** In which order the pictures come. */
  enum Order {
    /** By their whole names, as Python sorts text. */
    NAMES,
    /** Folder by folder, as Python sorts paths: {@code a/x} comes before {@code a-b/x}. */
    PATHS;

    /** Compares two names. */
    public Comparator<String> comparator() {
      return PictureNames.order(this);
    }
  }

  /**
   * Opens a folder or a zip file; links to folders are followed. The caller closes it.
   *
   * @throws FileException when it is neither, or not readable
   */
  static PictureSource open(Path path, Order order) {
    return Files.isDirectory(path) ? FolderSource.open(path, order) : ZipSource.open(path, order);
  }

  /** The folder or file. */
  Path path();

  /** The pictures' names, with slashes, in order. */
  List<String> pictures();

  /** How many files there are altogether. */
  int files();

  /** What was not taken for a picture of the set. */
  LeftOut leftOut();

  /** The same source without some of its pictures, which owns what this one owned. */
  PictureSource without(Set<String> names);

  /** The bytes of picture number {@code index}, of which there are at most 2^29. */
  byte[] read(int index);

  /**
   * A piece of picture number {@code index} from each of its ends, without reading it all.
   *
   * @param most how many bytes of each
   */
  Ends ends(int index, int most);

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
   * The ends of a file.
   *
   * @param start its first bytes
   * @param end its last ones; empty where they cannot be had without unpacking all
   * @param size how many bytes there are
   */
  record Ends(byte[] start, byte[] end, long size) {
    /** Whether the first bytes are all. */
    boolean isWhole() {
      return start.length == size;
    }
  }
}
