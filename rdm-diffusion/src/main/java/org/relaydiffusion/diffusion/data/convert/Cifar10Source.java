package org.relaydiffusion.diffusion.data.convert;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * CIFAR-10's training pictures (32 x 32, RGB, ten classes) from its archive for Python, {@code
 * cifar-10-python.tar.gz}: the five batches of training in their order.
 */
final class Cifar10Source implements ImageSource {
  private static final int SIDE = 32;
  private static final int PLANE = SIDE * SIDE;
  private static final int CLASSES = 10;
  private static final int BATCHES = 5;
  private static final int TAR_BLOCK = 512;
  private static final int LARGEST_BATCH = 1 << 28;
  private static final Pattern BATCH = Pattern.compile("(?:.*/)?data_batch_([1-5])");

  private final Path file;
  private final List<byte[]> pictures = new ArrayList<>();
  private final List<Integer> labels = new ArrayList<>();

  private Cifar10Source(Path file) {
    this.file = file;
  }

  /**
   * Reads the archive into memory, 150 MB.
   *
   * @throws FileException when it is anything else
   */
  static Cifar10Source open(Path file) {
    Map<Integer, byte[]> batches = new TreeMap<>();
    GzipFile.read(file, in -> readTar(file, in, batches));
    if (batches.size() != BATCHES) {
      throw new FileException(
          file,
          "has the batches %s of CIFAR-10, expected data_batch_1 to data_batch_%s"
              .formatted(batches.keySet(), BATCHES));
    }
    Cifar10Source source = new Cifar10Source(file);
    batches.forEach(source::add);
    if (source.pictures.isEmpty()) {
      throw new FileException(file, "has no pictures in its batches");
    }
    return source;
  }

  private static void readTar(Path file, InputStream in, Map<Integer, byte[]> batches)
      throws IOException {
    byte[] header = in.readNBytes(TAR_BLOCK);
    while (header.length == TAR_BLOCK && header[0] != 0) {
      long size = octal(file, header);
      long padding = (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
      Matcher name = BATCH.matcher(text(header, 0, 100));
      if (name.matches()) {
        if (size > LARGEST_BATCH) {
          throw new FileException(
              file, "has a batch of %s bytes, at most %s are read".formatted(size, LARGEST_BATCH));
        }
        byte[] batch = in.readNBytes((int) size);
        if (batch.length != size) {
          throw new EOFException("it ends inside " + name.group());
        }
        batches.put(Integer.valueOf(name.group(1)), batch);
        in.skipNBytes(padding);
      } else {
        in.skipNBytes(size + padding);
      }
      header = in.readNBytes(TAR_BLOCK);
    }
  }

  private static String text(byte[] header, int from, int length) {
    String text = new String(header, from, length, StandardCharsets.ISO_8859_1);
    int end = text.indexOf('\0');
    return end < 0 ? text : text.substring(0, end);
  }

  private static long octal(Path file, byte[] header) {
    String digits = text(header, 124, 12).strip();
    if (!digits.matches("[0-7]{1,11}")) {
      throw new FileException(file, "is no tar archive: an entry has no size");
    }
    return Long.parseLong(digits, 8);
  }

  private void add(int batch, byte[] pickle) {
    try {
      Map<String, Object> content = CifarPickle.read(pickle);
      if (!(content.get("data") instanceof byte[] data)
          || !(content.get("labels") instanceof List<?> found)
          || data.length != (long) found.size() * 3 * PLANE) {
        throw new CifarPickle.BadPickle("expected \"data\" of 3072 bytes for each of \"labels\"");
      }
      for (int i = 0; i < found.size(); i++) {
        if (!(found.get(i) instanceof Integer label) || label < 0 || label >= CLASSES) {
          throw new CifarPickle.BadPickle("label %s is not from 0 to 9".formatted(i));
        }
        labels.add(label);
        pictures.add(Arrays.copyOfRange(data, i * 3 * PLANE, (i + 1) * 3 * PLANE));
      }
    } catch (CifarPickle.BadPickle e) {
      throw new FileException(
          file, "data_batch_%s is no batch of CIFAR-10: %s".formatted(batch, e.getMessage()), e);
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
  public OptionalInt label(int index) {
    return OptionalInt.of(labels.get(index));
  }

  @Override
  public String name(int index) {
    return "%s picture %s".formatted(file, index);
  }

  @Override
  public void close() {}
}
