// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.io.AtomicFile;

/**
 * Writes images as PNG files (8-bit grayscale or RGB, not interlaced). For uncompressed images it
 * is many times faster than the JDK's encoder.
 */
public final class PngWriter {
  /**
   * Reserved for headers, checksums and deflate blocks, which must fit in an array with the pixels.
   */
  private static final long MAX_BYTES = 2_000_000_000L;

  private PngWriter() {}

  /** Returns the bytes of a PNG file. */
  public static byte[] encode(Pixels pixels, Compression compression) {
    return encode(pixels, compression, PngText.NONE);
  }

  /** Returns the bytes of a PNG file with text before its pixels. */
  public static byte[] encode(Pixels pixels, Compression compression, PngText text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(pixels.data().length / 2 + 1024);
    try {
      write(pixels, compression, text, out);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    return out.toByteArray();
  }

  /** Writes a PNG file to a stream, which stays open. */
  public static void write(Pixels pixels, Compression compression, OutputStream out)
      throws IOException {
    write(pixels, compression, PngText.NONE, out);
  }

  /** Writes a PNG file with text before its pixels to a stream, which stays open. */
  public static void write(Pixels pixels, Compression compression, PngText text, OutputStream out)
      throws IOException {
    byte[] header =
        ByteBuffer.allocate(13)
            .putInt(pixels.width())
            .putInt(pixels.height())
            .put((byte) 8)
            .put(pixels.channels() == 3 ? PngFile.RGB : PngFile.GREY)
            .array();
    ByteArrayOutputStream data = deflated(pixels, compression);
    out.write(PngFile.SIGNATURE);
    chunk("IHDR", header, out);
    for (PngTextEntry entry : text.entries()) {
      chunk(entry.chunkType(), entry.chunkData(), out);
    }
    chunk("IDAT", data.toByteArray(), out);
    chunk("IEND", new byte[0], out);
  }

  /**
   * Writes a PNG file atomically; parent folders are created.
   *
   * @throws FileException if it cannot be written
   */
  public static void write(Pixels pixels, Compression compression, Path file) {
    write(pixels, compression, PngText.NONE, file);
  }

  /**
   * Writes a PNG file with text before its pixels, atomically; parent folders are created.
   *
   * @throws FileException if it cannot be written
   */
  public static void write(Pixels pixels, Compression compression, PngText text, Path file) {
    byte[] bytes = encode(pixels, compression, text);
    AtomicFile.write(
        file,
        channel -> {
          ByteBuffer left = ByteBuffer.wrap(bytes);
          while (left.hasRemaining()) {
            channel.write(left);
          }
        });
  }

  private static ByteArrayOutputStream deflated(Pixels pixels, Compression compression)
      throws IOException {
    int row = pixels.width() * pixels.channels();
    if ((long) pixels.height() * (row + 1L) > MAX_BYTES) {
      throw new RdmException(pixels + " is too large to be encoded in memory");
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(pixels.data().length / 2 + 1024);
    Deflater deflater = new Deflater(compression.level());
    try (DeflaterOutputStream out = new DeflaterOutputStream(bytes, deflater, 1 << 16)) {
      if (compression == Compression.STORED) {
        byte[] unfiltered = new byte[row + 1];
        for (int y = 0; y < pixels.height(); y++) {
          System.arraycopy(pixels.data(), y * row, unfiltered, 1, row);
          out.write(unfiltered);
        }
      } else {
        RowFilter filter = new RowFilter(pixels.channels(), row);
        for (int y = 0; y < pixels.height(); y++) {
          out.write(filter.next(pixels.data(), y * row));
        }
      }
    } finally {
      deflater.end();
    }
    return bytes;
  }

  private static void chunk(String type, byte[] data, OutputStream out) throws IOException {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 crc = new CRC32();
    crc.update(name);
    crc.update(data);
    out.write(ByteBuffer.allocate(8).putInt(data.length).put(name).array());
    out.write(data);
    out.write(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }
}
