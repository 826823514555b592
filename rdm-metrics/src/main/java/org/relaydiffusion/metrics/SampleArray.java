// SPDX-License-Identifier: Apache-2.0
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
 * Images in the format of ADM's sampling scripts and its evaluator: the array {@code arr_0} of an
 * .npz file, uint8 [N, H, W, 3]. Other arrays of the file, such as the classes in {@code arr_1},
 * are ignored.
 *
 * <p>{@link #close()} closes the file and all readers opened from it. Not thread-safe.
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
            "array '%s' has %s images of %s x %s pixels, expected at least 1 of at most %s x %s"
                .formatted(ARRAY, shape[0], shape[2], shape[1], MOST_SIDE, MOST_SIDE));
      }
      this.count = (int) shape[0];
      this.height = (int) shape[1];
      this.width = (int) shape[2];
    }
  }

  /**
   * Opens a file; reads only its headers.
   *
   * @return the file, which the caller closes
   * @throws FileException if it cannot be read, or has no such array
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

  /** Returns whether a file has an array of images, according to its header. */
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

  /** Returns the number of images, at least 1. */
  public int count() {
    return count;
  }

  /** Returns the height of the images in pixels. */
  public int height() {
    return height;
  }

  /** Returns the width of the images in pixels. */
  public int width() {
    return width;
  }

  /** Returns the checksum of the array in the zip's directory, which changes with any image. */
  public long checksum() {
    return file.checksum(ARRAY);
  }

  /** Returns the name of image {@code index} in messages. */
  public Path picture(int index) {
    return path.resolve("%s[%s]".formatted(ARRAY, index));
  }

  /**
   * Begins a pass over the images, from the first on: uint8 [n, H, W, 3]. The reader is closed with
   * this object at the latest.
   */
  public NpyReader pass() {
    return file.array(ARRAY).expect(List.of(DType.UINT8), -1, -1, -1, 3);
  }

  /** Reads image {@code index}, uint8 [H, W, 3] in row-major order. */
  public byte[] read(int index) {
    try (NpyReader pass = pass()) {
      pass.skip(index);
      try (Tensor row = pass.read(1)) {
        return row.toBytes();
      }
    }
  }

  /** Returns whether a file name is that of an array of images rather than of a data set. */
  public static boolean isNameOfOne(Path file) {
    Path name = file.getFileName();
    return name != null && name.toString().toLowerCase(Locale.ROOT).endsWith(".npz");
  }

  /**
   * Writes {@code target} atomically.
   *
   * @param count N, at least 1
   * @param height H
   * @param width W
   * @param pictures supplies all images, in blocks of [n, H, W, 3]
   * @throws FileException if it cannot be written
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
