package org.relaydiffusion.metrics;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.relaydiffusion.FileException;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.metrics.npy.NpzFile;
import org.relaydiffusion.metrics.npy.NpzWriter;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/**
 * Pictures as ADM's sampling scripts save them and its evaluator takes them: the array {@code
 * arr_0} of an .npz file, uint8 [N, H, W, 3]. What else the file has, such as the classes in {@code
 * arr_1}, is passed over.
 *
 * <p>{@link #close()} closes the file, and every reader that was opened.
 */
public final class SampleArray implements AutoCloseable {
  private static final String ARRAY = "arr_0";
  private static final int MOST_SIDE = 4096;

  private final Path path;
  private final NpzFile file;
  private final int count;
  private final int height;
  private final int width;

  private SampleArray(Path path, NpzFile file) {
    this.path = path;
    this.file = file;
    try (NpyReader reader = pass()) {
      long[] shape = reader.shape();
      if (shape[0] == 0
          || shape[0] > Integer.MAX_VALUE
          || Math.max(shape[1], shape[2]) > MOST_SIDE) {
        throw new FileException(
            path,
            "array '%s' has %s pictures of %s x %s pixels, expected 1 or more of at most %s x %s"
                .formatted(ARRAY, shape[0], shape[2], shape[1], MOST_SIDE, MOST_SIDE));
      }
      this.count = (int) shape[0];
      this.height = (int) shape[1];
      this.width = (int) shape[2];
    }
  }

  /**
   * Opens a file; reads its headers only.
   *
   * @throws FileException when it cannot be read, or has no such array
   */
  public static SampleArray open(Path path) {
    NpzFile file = NpzFile.open(path);
    try {
      return new SampleArray(path, file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Whether a file has an array of pictures, as far as its header says. */
  static boolean isIn(NpzFile file) {
    if (!file.names().contains(ARRAY)) {
      return false;
    }
    try (NpyReader reader = file.array(ARRAY)) {
      long[] shape = reader.shape();
      return reader.isNumeric()
          && reader.dtype() == DType.UINT8
          && shape.length == 4
          && shape[3] == 3;
    }
  }

  /** The number of pictures, at least 1. */
  public int count() {
    return count;
  }

  /** Of every picture, in pixels. */
  public int height() {
    return height;
  }

  /** Of every picture, in pixels. */
  public int width() {
    return width;
  }

  /** The array's checksum, as the zip's directory has it: it changes when a picture does. */
  public long checksum() {
    return file.checksum(ARRAY);
  }

  /** What messages call picture number {@code index}. */
  public Path picture(int index) {
    return path.resolve("%s[%s]".formatted(ARRAY, index));
  }

  /** A pass over the pictures, from the first on: uint8 [n, H, W, 3]. */
  public NpyReader pass() {
    return file.array(ARRAY).expect(List.of(DType.UINT8), -1, -1, -1, 3);
  }

  /** Picture number {@code index}, uint8 [H, W, 3] in row-major order. */
  public byte[] read(int index) {
    try (NpyReader pass = pass()) {
      pass.skip(index);
      try (Tensor row = pass.read(1)) {
        return row.toBytes();
      }
    }
  }

  /** Whether a file's name is that of an array of pictures, rather than of a data set. */
  public static boolean isNameOfOne(Path file) {
    Path name = file.getFileName();
    return name != null && name.toString().toLowerCase(Locale.ROOT).endsWith(".npz");
  }

  /**
   * Writes {@code target}, which appears whole or not at all.
   *
   * @param count N, at least 1
   * @param pictures gives every picture, in blocks of [n, H, W, 3]
   * @throws FileException when it cannot be written
   */
  public static void write(Path target, int count, int height, int width, NpzWriter.Rows pictures) {
    NpzWriter.write(
        target,
        out -> out.array(ARRAY, DType.UINT8, new long[] {count, height, width, 3}, pictures));
  }

  @Override
  public void close() {
    file.close();
  }
}
