// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.relaydiffusion.FileException;

/**
 * Decodes the kind of PNG that data sets usually contain: 8-bit grayscale or RGB, not interlaced.
 * The result is that of the JDK's decoder, but faster.
 */
final class PngDecoder {
  private static final int FIRST_CHUNK = 8;
  private static final int CHUNK_OVERHEAD = 12;
  private static final int METHODS = 26;

  /** Rows are decompressed in parts of this number of bytes, or one by one if a row is longer. */
  private static final int BUFFER = 1 << 20;

  private static final int IHDR = 0x49484452;
  private static final int PLTE = 0x504c5445;
  private static final int IDAT = 0x49444154;
  private static final int IEND = 0x49454e44;

  /** Set in the names of chunks that a decoder may ignore. */
  private static final int ANCILLARY = 0x20000000;

  private final ByteBuffer in;
  private final int channels;
  private final int row;
  private final int height;
  private final Path file;

  private PngDecoder(ByteBuffer in, PngFile png, Path file) {
    this.in = in;
    this.channels = png.colourType() == PngFile.RGB ? 3 : 1;
    this.row = png.width() * channels;
    this.height = png.height();
    this.file = file;
  }

  /**
   * Returns whether this class can decode an image.
   *
   * @param bytes a complete file whose chunks {@code png} has checked
   */
  static boolean decodes(byte[] bytes, PngFile png) {
    boolean plain =
        png.bitDepth() == 8
            && (png.colourType() == PngFile.GREY || png.colourType() == PngFile.RGB)
            // Compression, filter and interlace method.
            && bytes[METHODS] == 0
            && bytes[METHODS + 1] == 0
            && bytes[METHODS + 2] == 0;
    return plain && hasKnownChunks(ByteBuffer.wrap(bytes));
  }

  private static boolean hasKnownChunks(ByteBuffer in) {
    int before = 0;
    boolean hasPixels = false;
    for (int at = FIRST_CHUNK; before != IEND; at += CHUNK_OVERHEAD + in.getInt(at)) {
      int type = in.getInt(at + 4);
      boolean known =
          switch (type) {
            case IHDR -> at == FIRST_CHUNK;
            case IDAT -> before == IDAT || !hasPixels;
            case PLTE, IEND -> true;
            default -> (type & ANCILLARY) != 0;
          };
      if (!known) {
        return false;
      }
      hasPixels |= type == IDAT;
      before = type;
    }
    return true;
  }

  /**
   * Decodes the image.
   *
   * @param bytes a complete file whose chunks {@code png} has checked, and that {@link #decodes}
   *     accepts
   * @throws FileException if the compressed pixels are damaged, or fewer than declared
   */
  static Pixels decode(byte[] bytes, PngFile png, Path file) {
    PngDecoder decoder = new PngDecoder(ByteBuffer.wrap(bytes), png, file);
    Pixels pixels = Pixels.black(png.width(), png.height(), decoder.channels);
    decoder.inflate(pixels.data());
    return pixels;
  }

  /**
   * Decompresses several rows at a time, each preceded by the number of its filter, and reverses
   * the filters.
   */
  private void inflate(byte[] pixels) {
    int atOnce = Math.min(height, Math.max(1, BUFFER / (row + 1)));
    byte[] rows = new byte[(row + 1) * atOnce];
    RowUnfilter unfilter = new RowUnfilter(channels, row);
    Inflater inflater = new Inflater();
    try {
      int y = 0;
      int filled = 0;
      int at = FIRST_CHUNK;
      while (y < height && in.getInt(at + 4) != IEND) {
        int length = in.getInt(at);
        if (in.getInt(at + 4) == IDAT) {
          inflater.setInput(in.slice(at + 8, length));
          int count = 1;
          while (count > 0 && y < height) {
            int wanted = (row + 1) * Math.min(atOnce, height - y);
            count = inflater.inflate(rows, filled, wanted - filled);
            filled += count;
            if (filled == wanted) {
              y = unfilter(unfilter, rows, wanted / (row + 1), pixels, y);
              filled = 0;
            }
          }
        }
        at += CHUNK_OVERHEAD + length;
      }
      if (y < height) {
        throw damaged("its pixels end in row %s of %s".formatted(y + filled / (row + 1), height));
      }
    } catch (DataFormatException e) {
      throw damaged("its pixels are not valid deflate data (" + e.getMessage() + ")");
    } finally {
      inflater.end();
    }
  }

  /** Restores {@code count} rows from number {@code y} on; returns the number of the next one. */
  private int unfilter(RowUnfilter unfilter, byte[] rows, int count, byte[] pixels, int y) {
    for (int i = 0; i < count; i++) {
      int from = i * (row + 1);
      if (!unfilter.next(rows, from, pixels, (y + i) * row)) {
        throw damaged("row %s has the unknown filter %s".formatted(y + i, rows[from] & 0xff));
      }
    }
    return y + count;
  }

  private FileException damaged(String what) {
    return new FileException(file, "is a damaged PNG image: " + what);
  }
}
