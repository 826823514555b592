// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.relaydiffusion.FileException;

/**
 * The first image of a TIFF. The directory is validated before the JDK's reader uses it: sizes,
 * positions of strips and tiles, and that the samples have 8-bit values. The JDK also reads floats,
 * signed numbers and CIE Lab, but as unsigned RGB, which would give a wrong image. Unlike that of a
 * JPEG, the orientation of a TIFF is applied, as in Pillow.
 */
final class TiffFile {
  private static final int DIRECTORY_ENTRY = 12;
  private static final int SHORT = 3;
  private static final int LONG = 4;
  private static final int WIDTH = 256;
  private static final int HEIGHT = 257;
  private static final int BITS = 258;
  private static final int COMPRESSION = 259;
  private static final int PHOTOMETRIC = 262;
  private static final int STRIP_OFFSETS = 273;
  private static final int ORIENTATION = 274;
  private static final int SAMPLES = 277;
  private static final int ROWS_PER_STRIP = 278;
  private static final int STRIP_BYTES = 279;
  private static final int PLANAR = 284;
  private static final int COLOUR_MAP = 320;
  private static final int TILE_WIDTH = 322;
  private static final int TILE_HEIGHT = 323;
  private static final int TILE_OFFSETS = 324;
  private static final int TILE_BYTES = 325;
  private static final int EXTRA_SAMPLES = 338;
  private static final int SAMPLE_FORMAT = 339;
  private static final int JPEG_TABLES = 347;

  /** The fields that may have 32 bits; all others that are used have 16. */
  private static final Set<Integer> LARGE =
      Set.of(
          WIDTH,
          HEIGHT,
          STRIP_OFFSETS,
          ROWS_PER_STRIP,
          STRIP_BYTES,
          TILE_WIDTH,
          TILE_HEIGHT,
          TILE_OFFSETS,
          TILE_BYTES);

  private static final int WHITE_IS_ZERO = 0;
  private static final int BLACK_IS_ZERO = 1;
  private static final int PALETTE = 3;
  private static final int INKS = 5;
  private static final int PREMULTIPLIED = 1;
  private static final int SEPARATE = 2;
  private static final int UNCOMPRESSED = 1;
  private static final int OLD_JPEG = 6;
  private static final int JPEG = 7;

  /** The maximum size of all quantization and Huffman tables of a JPEG is below 4 KiB. */
  private static final int MOST_TABLES = 1 << 14;

  private static final int MOST_SAMPLES = 4;
  private static final int MOST_BITS = 16;

  /** Deflate expands one byte to at most 1032 bytes; fax codes achieve no more for its bits. */
  private static final long PIXELS_PER_BYTE = 1032 * 8;

  private final byte[] bytes;
  private final ByteBuffer in;
  private final Path file;
  private final Map<Integer, Field> fields = new HashMap<>();

  /** A field of the directory, whose values are inside the file. */
  private record Field(int type, int count, int at) {}

  private TiffFile(byte[] bytes, Path file) {
    this.bytes = bytes;
    this.in = ByteBuffer.wrap(bytes);
    this.file = file;
  }

  /** Returns whether a file begins like a TIFF. */
  static boolean isTiff(byte[] bytes) {
    return bytes.length >= 4
        && ((bytes[0] == 'I' && bytes[1] == 'I' && bytes[2] == 42 && bytes[3] == 0)
            || (bytes[0] == 'M' && bytes[1] == 'M' && bytes[2] == 0 && bytes[3] == 42));
  }

  /**
   * Decodes as {@link PictureReader#decode}.
   *
   * @param bytes a file for which {@link #isTiff} is true
   * @throws FileException naming what is invalid, too large, or not supported
   */
  static Pixels decode(byte[] bytes, Path file) {
    TiffFile tiff = new TiffFile(bytes, file);
    tiff.readDirectory();
    tiff.checkSize();
    tiff.checkSamples();
    tiff.checkParts();
    tiff.checkCompression();
    Pixels pixels = new JavaDecoder(bytes, "tiff", file).decode(PIXELS_PER_BYTE, tiff.conversion());
    return Orientation.apply((int) tiff.value(ORIENTATION, 0, 1), pixels);
  }

  private Function<BufferedImage, Pixels> conversion() {
    int photometric = (int) value(PHOTOMETRIC, 0, 1);
    int colours =
        switch (photometric) {
          case WHITE_IS_ZERO, BLACK_IS_ZERO -> 1;
          case INKS -> 4;
          default -> 3;
        };
    boolean isPremultiplied =
        fields.containsKey(EXTRA_SAMPLES) && value(EXTRA_SAMPLES, 0, 0) == PREMULTIPLIED;
    // Java represents grayscale images of fewer than 8 bits with a palette.
    var samples = new RasterPixels(file, _ -> colours == 1, colours, isPremultiplied);
    if (photometric != PALETTE) {
      return samples::pixels;
    }
    IndexColorModel palette = palette();
    return image -> samples.indexed(image.getRaster(), palette);
  }

  /** Returns the palette with the high bytes of its 16-bit colours, which the JDK would round. */
  private IndexColorModel palette() {
    int bits = (int) value(BITS, 0, 1);
    Field field = fields.get(COLOUR_MAP);
    int size = 1 << bits;
    if (bits > 8 || field == null || field.count != 3 * size) {
      throw damaged("its palette does not fit numbers of %s bits".formatted(bits));
    }
    byte[][] colours = new byte[3][size];
    for (int i = 0; i < 3 * size; i++) {
      colours[i / size][i % size] = (byte) (value(COLOUR_MAP, i, 0) >> 8);
    }
    return new IndexColorModel(bits, size, colours[0], colours[1], colours[2]);
  }

  /** Returns the size of the image after applying its orientation. */
  static PictureReader.Size size(byte[] bytes, Path file) {
    TiffFile tiff = new TiffFile(bytes, file);
    tiff.readDirectory();
    tiff.checkSize();
    int width = (int) tiff.value(WIDTH, 0, 0);
    int height = (int) tiff.value(HEIGHT, 0, 0);
    return Orientation.swapsSides((int) tiff.value(ORIENTATION, 0, 1))
        ? new PictureReader.Size(height, width)
        : new PictureReader.Size(width, height);
  }

  private void readDirectory() {
    in.order(bytes[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    long start = bytes.length < 8 ? bytes.length : in.getInt(4) & 0xffff_ffffL;
    if (start > bytes.length - 2L) {
      throw damaged("its directory is outside the file");
    }
    int count = in.getShort((int) start) & 0xffff;
    if (start + 2 + (long) count * DIRECTORY_ENTRY > bytes.length) {
      throw damaged("its directory of %s fields is truncated".formatted(count));
    }
    for (int i = 0; i < count; i++) {
      readField((int) start + 2 + i * DIRECTORY_ENTRY);
    }
  }

  private void readField(int at) {
    int tag = in.getShort(at) & 0xffff;
    int type = in.getShort(at + 2) & 0xffff;
    long count = in.getInt(at + 4) & 0xffff_ffffL;
    // Other types are not integers, but all fields used here are.
    int size = type == SHORT ? 2 : type == LONG ? 4 : 1;
    long where = size * count <= 4 ? at + 8 : in.getInt(at + 8) & 0xffff_ffffL;
    if (where + size * count > bytes.length) {
      throw damaged(
          "field %s declares %s values, more than the file contains".formatted(tag, count));
    }
    if (fields.put(tag, new Field(type, (int) count, (int) where)) != null) {
      throw damaged("its directory has field %s twice".formatted(tag));
    }
  }

  private long value(int tag, int index, long otherwise) {
    Field field = fields.get(tag);
    if (field == null) {
      return otherwise;
    }
    if (index >= field.count) {
      throw damaged("field %s has %s values".formatted(tag, field.count));
    }
    // The JDK ignores fields of other types, and uses defaults instead.
    if (field.type == SHORT) {
      return in.getShort(field.at + 2 * index) & 0xffff;
    }
    if (field.type == LONG && LARGE.contains(tag)) {
      return in.getInt(field.at + 4 * index) & 0xffff_ffffL;
    }
    throw damaged("field %s has the type %s".formatted(tag, field.type));
  }

  private void checkSize() {
    long width = value(WIDTH, 0, 0);
    long height = value(HEIGHT, 0, 0);
    long held = bytes.length * PIXELS_PER_BYTE;
    PictureBudget.checkPixels(width, height, bytes.length, held, file);
    // Tiles extend beyond the edges, and are decoded completely. Strips do not: the last one is
    // shorter.
    long partWidth = partWidth();
    long partHeight = partHeight();
    if (partWidth < 1 || partHeight < 1) {
      throw damaged("its parts have %s x %s pixels".formatted(partWidth, partHeight));
    }
    PictureBudget.checkPixels(
        Math.ceilDiv(width, partWidth) * partWidth,
        Math.ceilDiv(height, partHeight) * partHeight,
        bytes.length,
        held,
        file);
  }

  private long partWidth() {
    return value(TILE_WIDTH, 0, value(WIDTH, 0, 0));
  }

  private long partHeight() {
    long height = value(HEIGHT, 0, 0);
    return value(TILE_HEIGHT, 0, Math.min(value(ROWS_PER_STRIP, 0, height), height));
  }

  private void checkSamples() {
    long samples = value(SAMPLES, 0, 1);
    if (samples < 1 || samples > MOST_SAMPLES) {
      throw new FileException(
          file,
          "has %s samples per pixel, but only grayscale and RGB images are supported"
              .formatted(samples));
    }
    for (int i = 0; i < samples; i++) {
      checkFormat(perSample(SAMPLE_FORMAT, i, 1));
      long bits = perSample(BITS, i, 1);
      if (bits < 1 || bits > MOST_BITS) {
        throw new FileException(
            file, "has samples of %s bits, but at most 16 are supported".formatted(bits));
      }
    }
    long colours = value(PHOTOMETRIC, 0, 1);
    switch ((int) colours) {
      case WHITE_IS_ZERO, BLACK_IS_ZERO, 2, PALETTE, INKS, 6 -> {}
      case 8, 9, 10 ->
          throw new FileException(
              file, "has colours other than grayscale and RGB (CIE Lab): convert it to RGB");
      default ->
          throw new FileException(
              file,
              "has colours other than grayscale and RGB (photometric interpretation %s)"
                  .formatted(colours));
    }
  }

  /** Some programs write one value for all samples. */
  private long perSample(int tag, int sample, long otherwise) {
    Field field = fields.get(tag);
    return value(tag, field != null && field.count == 1 ? 0 : sample, otherwise);
  }

  private void checkFormat(long format) {
    String kind =
        switch ((int) format) {
          // 4 means undefined; the samples are then unsigned.
          case 1, 4 -> "";
          case 2 -> "signed";
          case 3 -> "float";
          case 5, 6 -> "complex";
          default -> throw damaged("its samples have the format %s".formatted(format));
        };
    if (!kind.isEmpty()) {
      throw new FileException(
          file,
          "has %s samples, but only unsigned ones of at most 16 bits are supported"
              .formatted(kind));
    }
  }

  private int offsets() {
    return fields.containsKey(TILE_OFFSETS) ? TILE_OFFSETS : STRIP_OFFSETS;
  }

  private int lengths() {
    return fields.containsKey(TILE_BYTES) ? TILE_BYTES : STRIP_BYTES;
  }

  private void checkParts() {
    int offsets = offsets();
    Field parts = fields.get(offsets);
    if (parts == null) {
      throw damaged("it does not declare the offsets of its pixels");
    }
    long expected = expectedParts();
    if (parts.count != expected) {
      throw damaged("it has %s parts, but its size requires %s".formatted(parts.count, expected));
    }
    boolean hasLengths = fields.containsKey(lengths());
    if (!hasLengths && parts.count > 1 && value(COMPRESSION, 0, 1) != UNCOMPRESSED) {
      throw damaged("it does not declare the lengths of its %s parts".formatted(parts.count));
    }
    // Every part is read completely, so parts that share bytes would multiply the work.
    long sum = 0;
    for (int i = 0; i < parts.count; i++) {
      long offset = value(offsets, i, 0);
      long length = hasLengths ? value(lengths(), i, 0) : 0;
      sum += length;
      if (offset + length > bytes.length) {
        throw damaged(
            "part %s declares %s bytes at offset %s, but the file has %s bytes"
                .formatted(i, length, offset, bytes.length));
      }
    }
    if (sum > bytes.length) {
      throw damaged(
          "its %s parts declare %s bytes in total, but the file has %s"
              .formatted(parts.count, sum, bytes.length));
    }
  }

  /**
   * Returns the number of strips or tiles for the size, for each sample if samples are stored
   * separately.
   */
  private long expectedParts() {
    long across = Math.ceilDiv(value(WIDTH, 0, 0), partWidth());
    long down = Math.ceilDiv(value(HEIGHT, 0, 0), partHeight());
    return across * down * (value(PLANAR, 0, 1) == SEPARATE ? value(SAMPLES, 0, 1) : 1);
  }

  /** Embedded JPEG images declare sizes of their own. */
  private void checkCompression() {
    long compression = value(COMPRESSION, 0, 1);
    if (compression == OLD_JPEG) {
      throw new FileException(
          file,
          "is a TIFF with old-style JPEG compression, which is not supported: convert it to PNG");
    }
    if (compression != JPEG) {
      return;
    }
    Field tables = fields.get(JPEG_TABLES);
    if (tables != null) {
      // The JDK reads them again with every part.
      if (tables.count > MOST_TABLES) {
        throw damaged("its JPEG tables have %s bytes".formatted(tables.count));
      }
      JpegFile found = JpegFile.parse(bytes, tables.at, tables.at + tables.count, file);
      if (found.width() != 0 || found.height() != 0 || found.scans() != 0) {
        throw damaged("its JPEG tables contain an image");
      }
    }
    int offsets = offsets();
    Field parts = fields.get(offsets);
    int passes = 0;
    for (int i = 0; parts != null && i < parts.count; i++) {
      int offset = (int) value(offsets, i, 0);
      int end = (int) (offset + value(lengths(), i, bytes.length - offset));
      JpegFile part = JpegFile.parse(bytes, offset, end, file);
      // The JDK's decoder would continue after the part, where nothing was checked.
      if (!part.isWhole()) {
        throw damaged("part %s is not a complete JPEG image".formatted(i));
      }
      if (part.width() > partWidth() || part.height() > partHeight()) {
        throw damaged(
            "part %s has %s x %s pixels, more than %s x %s"
                .formatted(i, part.width(), part.height(), partWidth(), partHeight()));
      }
      passes = Math.max(passes, part.scans());
    }
    PictureBudget.checkPasses(value(WIDTH, 0, 0), value(HEIGHT, 0, 0), passes, bytes.length, file);
  }

  private FileException damaged(String what) {
    return new FileException(file, "is a damaged TIFF image: " + what);
  }
}
