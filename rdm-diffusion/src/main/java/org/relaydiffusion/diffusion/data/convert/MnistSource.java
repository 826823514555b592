// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * MNIST's images (grayscale, ten classes) from {@code train-images-idx3-ubyte.gz} and the labels
 * beside it, {@code train-labels-idx1-ubyte.gz}. The 28 x 28 images are padded to 32 x 32 with two
 * black pixels on every side.
 */
final class MnistSource implements ImageSource {
  /** The ends of the names of the image file and of the label file. */
  static final String IMAGES = "-images-idx3-ubyte.gz";

  private static final String LABELS = "-labels-idx1-ubyte.gz";
  private static final int IMAGES_MAGIC = 0x803;
  private static final int LABELS_MAGIC = 0x801;
  private static final int SIDE = 28;
  private static final int BORDER = 2;
  private static final int CLASSES = 10;
  private static final int MOST = 1_000_000;

  private final Path file;
  private final byte[] images;
  private final byte[] labels;

  private MnistSource(Path file, byte[] images, byte[] labels) {
    this.file = file;
    this.images = images;
    this.labels = labels;
  }

  /**
   * Reads both files into memory.
   *
   * @param file the image file
   * @throws FileException if one of them is missing or damaged, or they do not match
   */
  static MnistSource open(Path file) {
    String name = String.valueOf(file.getFileName());
    Path labelFile =
        file.resolveSibling(name.substring(0, name.length() - IMAGES.length()) + LABELS);
    byte[] images = values(file, IMAGES_MAGIC, SIDE, SIDE);
    byte[] labels = values(labelFile, LABELS_MAGIC);
    if (images.length != labels.length * SIDE * SIDE || labels.length == 0) {
      throw new FileException(
          labelFile,
          "has %s labels for the %s images of %s"
              .formatted(labels.length, images.length / (SIDE * SIDE), file));
    }
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] < 0 || labels[i] >= CLASSES) {
        throw new FileException(
            labelFile, "label %s is %s, expected 0 to 9".formatted(i, labels[i] & 0xff));
      }
    }
    return new MnistSource(file, images, labels);
  }

  /** Returns the values of an IDX file of bytes with the given dimensions after the first. */
  private static byte[] values(Path file, int magic, int... sides) {
    byte[][] values = new byte[1][];
    GzipFile.read(file, in -> values[0] = values(file, in, magic, sides));
    return values[0];
  }

  private static byte[] values(Path file, InputStream in, int magic, int... sides)
      throws IOException {
    ByteBuffer header = ByteBuffer.wrap(exactly(in, Integer.BYTES * (2 + sides.length)));
    int found = header.getInt();
    int count = header.getInt();
    if (found != magic || count < 0 || count > MOST) {
      throw new FileException(
          file,
          ("is not an IDX file of MNIST: expected the type 0x%x and at most %s items, found 0x%x"
                  + " and %s")
              .formatted(magic, MOST, found, Integer.toUnsignedString(count)));
    }
    int size = count;
    for (int side : sides) {
      int given = header.getInt();
      if (given != side) {
        throw new FileException(
            file, "has images with a side of %s, expected %s".formatted(given, side));
      }
      size *= side;
    }
    return exactly(in, size);
  }

  private static byte[] exactly(InputStream in, int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length != length) {
      throw new EOFException("%s bytes instead of %s".formatted(bytes.length, length));
    }
    return bytes;
  }

  @Override
  public int size() {
    return labels.length;
  }

  @Override
  public Pixels read(int index) {
    int side = SIDE + 2 * BORDER;
    Pixels pixels = Pixels.black(side, side, 1);
    int from = Objects.checkIndex(index, size()) * SIDE * SIDE;
    for (int y = 0; y < SIDE; y++) {
      int to = (y + BORDER) * side + BORDER;
      System.arraycopy(images, from + y * SIDE, pixels.data(), to, SIDE);
    }
    return pixels;
  }

  @Override
  public ItemLabels labels() {
    long[] classes = new long[labels.length];
    Arrays.setAll(classes, i -> labels[i]);
    return ItemLabels.Classes.of(classes);
  }

  @Override
  public String name(int index) {
    return "%s image %s".formatted(file, index);
  }

  @Override
  public void close() {}
}
