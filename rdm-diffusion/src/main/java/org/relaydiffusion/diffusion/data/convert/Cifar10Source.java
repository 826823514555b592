// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.PlainPickle;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * CIFAR-10's images (32 x 32, RGB, ten classes) from its archive for Python, {@code
 * cifar-10-python.tar.gz}: the five training batches in their order, or the test batch.
 */
final class Cifar10Source implements ImageSource {
  private static final int SIDE = 32;
  private static final int PLANE = SIDE * SIDE;
  private static final int CLASSES = 10;
  private static final int TAR_BLOCK = 512;
  private static final int LARGEST_BATCH = 1 << 28;
  private static final Pattern BATCH = Pattern.compile("(?:.*/)?(data_batch_[1-5]|test_batch)");

  private final Path file;
  private final List<byte[]> pictures = new ArrayList<>();
  private final List<Long> labels = new ArrayList<>();

  private Cifar10Source(Path file) {
    this.file = file;
  }

  /**
   * Reads the archive into memory, 150 MB.
   *
   * @throws FileException if it is anything else
   */
  static Cifar10Source open(Path file, Split split) {
    List<String> wanted =
        switch (split) {
          case TRAIN -> IntStream.rangeClosed(1, 5).mapToObj(i -> "data_batch_" + i).toList();
          case TEST -> List.of("test_batch");
        };
    Map<String, byte[]> batches = new TreeMap<>();
    GzipFile.read(file, in -> readTar(file, in, wanted, batches));
    if (batches.size() != wanted.size()) {
      throw new FileException(
          file, "has the batches %s of CIFAR-10, expected %s".formatted(batches.keySet(), wanted));
    }
    Cifar10Source source = new Cifar10Source(file);
    batches.forEach(source::add);
    if (source.pictures.isEmpty()) {
      throw new FileException(file, "has no images in its batches");
    }
    return source;
  }

  private static void readTar(
      Path file, InputStream in, List<String> wanted, Map<String, byte[]> batches)
      throws IOException {
    byte[] header = in.readNBytes(TAR_BLOCK);
    while (header.length == TAR_BLOCK && header[0] != 0) {
      long size = octal(file, header);
      long padding = (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
      Matcher name = BATCH.matcher(text(header, 0, 100));
      if (name.matches() && wanted.contains(name.group(1))) {
        if (size > LARGEST_BATCH) {
          throw new FileException(
              file,
              "has a batch of %s bytes, but the maximum is %s".formatted(size, LARGEST_BATCH));
        }
        byte[] batch = in.readNBytes((int) size);
        if (batch.length != size) {
          throw new EOFException("it ends inside " + name.group());
        }
        batches.put(name.group(1), batch);
        in.skipNBytes(padding);
      } else {
        in.skipNBytes(size + padding);
      }
      header = in.readNBytes(TAR_BLOCK);
    }
    // The checksum is at the end.
    in.transferTo(OutputStream.nullOutputStream());
  }

  private static String text(byte[] header, int from, int length) {
    String text = new String(header, from, length, StandardCharsets.ISO_8859_1);
    int end = text.indexOf('\0');
    return end < 0 ? text : text.substring(0, end);
  }

  private static long octal(Path file, byte[] header) {
    String digits = text(header, 124, 12).strip();
    if (!digits.matches("[0-7]{1,11}")) {
      throw new FileException(file, "is not a tar archive: an entry has no size");
    }
    return Long.parseLong(digits, 8);
  }

  private void add(String batch, byte[] pickle) {
    Map<String, Object> content = PlainPickle.dictionary(file, batch, pickle);
    if (!(content.get("data") instanceof byte[] data)
        || !(content.get("labels") instanceof List<?> found)
        || data.length != (long) found.size() * 3 * PLANE) {
      throw new FileException(
          file,
          batch
              + " is not a batch of CIFAR-10: expected \"data\" of 3072 bytes for each of"
              + " \"labels\"");
    }
    for (int i = 0; i < found.size(); i++) {
      if (!(found.get(i) instanceof Long label) || label < 0 || label >= CLASSES) {
        throw new FileException(file, "%s: label %s is not from 0 to 9".formatted(batch, i));
      }
      labels.add(label);
      pictures.add(Arrays.copyOfRange(data, i * 3 * PLANE, (i + 1) * 3 * PLANE));
    }
  }

  @Override
  public int size() {
    return pictures.size();
  }

  @Override
  public Pixels read(int index) {
    byte[] planes = pictures.get(index);
    Pixels pixels = Pixels.black(SIDE, SIDE, 3);
    for (int i = 0; i < PLANE; i++) {
      for (int c = 0; c < 3; c++) {
        pixels.data()[i * 3 + c] = planes[c * PLANE + i];
      }
    }
    return pixels;
  }

  @Override
  public ItemLabels labels() {
    return ItemLabels.Classes.of(labels.stream().mapToLong(Long::longValue).toArray());
  }

  @Override
  public String name(int index) {
    return "%s image %s".formatted(file, index);
  }

  @Override
  public void close() {}
}
