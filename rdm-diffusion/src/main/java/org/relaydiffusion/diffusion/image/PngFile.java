// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Function;
import java.util.zip.CRC32;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.MappedFile;

/**
 * The information in the chunks of a PNG file, without decoding its pixels.
 *
 * @param width in pixels, at least 1
 * @param height in pixels, at least 1
 * @param bitDepth bits per channel: 1, 2, 4, 8 or 16
 * @param colourType the specification's number: 0 grayscale, 2 RGB, 3 palette, 4 and 6 with alpha
 * @param trailing bytes after the last chunk, which do not belong to the image
 */
record PngFile(int width, int height, int bitDepth, int colourType, int trailing) {
  static final byte GREY = 0;
  static final byte RGB = 2;
  static final byte PALETTE = 3;
  static final byte GREY_ALPHA = 4;
  static final byte RGB_ALPHA = 6;
  static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final int CHUNK_OVERHEAD = 12;
  private static final Set<String> ESSENTIAL = Set.of("IHDR", "PLTE", "IDAT", "IEND");

  /** Receives the chunks of a file. */
  @FunctionalInterface
  interface ChunkListener {
    /**
     * Receives a chunk, whose checksum is right.
     *
     * @param type four characters
     * @param data big-endian; valid during the call
     * @param start the position of the chunk in the file
     */
    void chunk(String type, ByteBuffer data, int start);
  }

  /**
   * Parses the chunks and checks their order and checksums.
   *
   * @param bytes the complete file
   * @param file its name, for messages
   * @throws FileException naming the invalid chunk
   */
  static PngFile parse(ByteBuffer bytes, Path file) {
    return parse(bytes, file, (_, _, _) -> {});
  }

  /** Parses as {@link #parse(ByteBuffer, Path)}, and hands on each chunk from IHDR to IEND. */
  static PngFile parse(ByteBuffer bytes, Path file, ChunkListener listener) {
    ByteBuffer in = bytes.slice().order(ByteOrder.BIG_ENDIAN);
    if (!isPng(in)) {
      throw new FileException(file, "is not a PNG file: wrong signature");
    }
    in.position(SIGNATURE.length);
    int start = in.position();
    ByteBuffer header = chunk(in, file, "IHDR");
    listener.chunk("IHDR", header.duplicate().order(ByteOrder.BIG_ENDIAN), start);
    boolean hasPixels = false;
    String type = "IHDR";
    while (!type.equals("IEND")) {
      start = in.position();
      type = typeAt(in, file);
      listener.chunk(type, chunk(in, file, type), start);
      hasPixels |= type.equals("IDAT");
    }
    if (!hasPixels) {
      throw new FileException(file, "is a PNG file without an IDAT chunk, so without pixels");
    }
    return header(header, in.remaining(), file);
  }

  /** Returns whether a file begins like a PNG. */
  static boolean isPng(ByteBuffer bytes) {
    return bytes.remaining() >= SIGNATURE.length
        && bytes.slice(bytes.position(), SIGNATURE.length).equals(ByteBuffer.wrap(SIGNATURE));
  }

  /**
   * Parses a file that is mapped for this purpose, as {@link #parse}.
   *
   * @throws FileException also if it is missing or unreadable
   */
  static PngFile read(Path file) {
    return read(file, bytes -> parse(bytes, file));
  }

  /**
   * Reads a file that is mapped for this purpose.
   *
   * @param reader receives the whole file, which it must not keep
   * @throws FileException as {@code reader}, and if it is missing or unreadable
   */
  static <T> T read(Path file, Function<ByteBuffer, T> reader) {
    try (MappedFile mapped = MappedFile.open(file)) {
      if (mapped.size() > Integer.MAX_VALUE) {
        throw new FileException(file, "is too large for a PNG file: " + mapped.size() + " bytes");
      }
      return mapped.reading(
          () -> reader.apply(mapped.slice(0, mapped.size(), "the image").asByteBuffer()));
    }
  }

  /** Returns the number of bits per pixel; 1 if the header is invalid. */
  int bitsAPixel() {
    int samples =
        switch (colourType) {
          case RGB -> 3;
          case GREY_ALPHA -> 2;
          case RGB_ALPHA -> 4;
          default -> 1;
        };
    return Math.max(1, bitDepth * samples);
  }

  /**
   * Returns a copy that contains only what determines the colours. Other parts (texts, profiles,
   * suggested palettes) would be decompressed and kept by the JDK's reader.
   *
   * @param bytes a complete file, which {@link #parse} has checked
   */
  static byte[] essential(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length);
    out.writeBytes(SIGNATURE);
    String type = "";
    for (int at = SIGNATURE.length; !type.equals("IEND"); ) {
      type = new String(bytes, at + 4, 4, StandardCharsets.ISO_8859_1);
      int length = CHUNK_OVERHEAD + in.getInt(at);
      if (ESSENTIAL.contains(type)) {
        out.write(bytes, at, length);
      }
      at += length;
    }
    return out.toByteArray();
  }

  private static String typeAt(ByteBuffer in, Path file) {
    if (in.remaining() < CHUNK_OVERHEAD) {
      throw new FileException(
          file, "is truncated: it ends at byte %s, before its IEND chunk".formatted(in.limit()));
    }
    byte[] name = new byte[4];
    in.get(in.position() + 4, name);
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  private static ByteBuffer chunk(ByteBuffer in, Path file, String expected) {
    int start = in.position();
    String type = typeAt(in, file);
    if (!type.equals(expected)) {
      throw new FileException(file, "is damaged: an %s chunk is missing".formatted(expected));
    }
    int length = in.getInt(start);
    if (length < 0 || length > in.remaining() - CHUNK_OVERHEAD) {
      throw new FileException(
          file,
          "is truncated: the chunk at byte %s declares %s bytes, but %s are left"
              .formatted(start, Integer.toUnsignedString(length), in.remaining() - CHUNK_OVERHEAD));
    }
    CRC32 crc = new CRC32();
    crc.update(in.slice(start + 4, length + 4));
    if ((int) crc.getValue() != in.getInt(start + 8 + length)) {
      throw new FileException(
          file, "is damaged: the checksum of the chunk at byte %s is wrong".formatted(start));
    }
    in.position(start + CHUNK_OVERHEAD + length);
    return in.slice(start + 8, length).order(ByteOrder.BIG_ENDIAN);
  }

  private static PngFile header(ByteBuffer header, int trailing, Path file) {
    if (header.remaining() != 13 || header.getInt(0) < 1 || header.getInt(4) < 1) {
      throw new FileException(file, "is damaged: its IHDR chunk has no valid size");
    }
    return new PngFile(header.getInt(0), header.getInt(4), header.get(8), header.get(9), trailing);
  }
}
