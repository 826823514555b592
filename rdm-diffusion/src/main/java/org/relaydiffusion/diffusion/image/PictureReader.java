package org.relaydiffusion.diffusion.image;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.MappedFile;

/**
 * Reads PNG and JPEG pictures as 8-bit grey or RGB. Palettes are looked up, 1, 2, 4 and 16 bits
 * scaled to 8, an alpha channel that is opaque everywhere is dropped. Refused by name: transparent
 * pixels, CMYK, other formats, and files that are damaged or beyond {@link PictureBudget}.
 */
public final class PictureReader {
  /** Deflate makes at most 1032 bytes of one. */
  private static final long MOST_INFLATED = 1032;

  /** A JPEG has at least one bit for a block of 8 x 8 pixels; subsampling needs more, not less. */
  private static final long JPEG_PIXELS_PER_BYTE = 64 * 8;

  /** Where a PNG file has its size. */
  private static final int PNG_WIDTH = 16;

  private static final int PNG_HEIGHT = 20;

  private PictureReader() {}

  /**
   * Reads a picture file.
   *
   * @throws FileException when it is missing, empty, damaged or of a kind that is not read
   */
  public static Pixels read(Path file) {
    return PictureBudget.within(file, () -> decode(bytes(file), file));
  }

  /**
   * The bytes of a picture file.
   *
   * @throws FileException when it is missing, unreadable, or longer than a picture may be
   */
  public static byte[] bytes(Path file) {
    try (MappedFile mapped = MappedFile.open(file)) {
      if (mapped.size() > PictureBudget.MOST_BYTES) {
        throw new FileException(
            file,
            "has %s bytes, but at most %s of a picture are read"
                .formatted(mapped.size(), PictureBudget.MOST_BYTES));
      }
      return mapped.bytes(0, (int) mapped.size(), "the picture");
    }
  }

  /**
   * Decodes a picture from memory.
   *
   * @param bytes a whole PNG or JPEG file
   * @param file what messages call it: its path, or its name inside an archive
   * @throws FileException as {@link #read}
   */
  public static Pixels decode(byte[] bytes, Path file) {
    if (PngFile.isPng(ByteBuffer.wrap(bytes))) {
      return png(bytes, file);
    }
    if (JpegFile.isJpeg(bytes)) {
      JavaDecoder decoder = new JavaDecoder(bytes, "jpeg", file);
      decoder.checkSize(JPEG_PIXELS_PER_BYTE);
      JpegFile jpeg = JpegFile.parse(bytes, 0, file);
      PictureBudget.checkPasses(jpeg.width(), jpeg.height(), jpeg.scans(), bytes.length, file);
      return decoder.decode(JPEG_PIXELS_PER_BYTE);
    }
    throw foreign(bytes, file);
  }

  private static Pixels png(byte[] bytes, Path file) {
    PngFile png = PngFile.parse(ByteBuffer.wrap(bytes), file);
    long held = bytes.length * MOST_INFLATED * 8 / png.bitsAPixel();
    PictureBudget.checkPixels(png.width(), png.height(), bytes.length, held, file);
    if (PngDecoder.decodes(bytes, png)) {
      return PictureBudget.decoded(
          file, png.width(), png.height(), 3, () -> PngDecoder.decode(bytes, png, file));
    }
    byte[] essential = PngFile.essential(bytes);
    Pixels pixels = new JavaDecoder(essential, "png", file).decode(MOST_INFLATED * 8);
    return png.colourType() == PngFile.PALETTE ? pixels.toRgb() : pixels;
  }

  /**
   * What a picture's header claims, without decoding it: for callers that refuse other sizes than
   * their own before anything of that size is made.
   *
   * @param bytes a whole PNG or JPEG file
   * @param file what messages call it
   * @throws FileException as {@link #read}, as far as the header shows it
   */
  public static Size size(byte[] bytes, Path file) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    if (PngFile.isPng(buffer)) {
      if (bytes.length < PNG_HEIGHT + Integer.BYTES) {
        throw new FileException(file, "is cut off: it ends in its header");
      }
      return checked(buffer.getInt(PNG_WIDTH), buffer.getInt(PNG_HEIGHT), file);
    }
    if (!JpegFile.isJpeg(bytes)) {
      throw foreign(bytes, file);
    }
    Size size = new JavaDecoder(bytes, "jpeg", file).size();
    return checked(size.width(), size.height(), file);
  }

  /**
   * A picture's size in pixels.
   *
   * @param width columns, at least 1
   * @param height rows, at least 1
   */
  public record Size(int width, int height) {}

  private static Size checked(int width, int height, Path file) {
    if (width < 1 || height < 1) {
      throw new FileException(
          file, "is damaged: it claims %s x %s pixels".formatted(width, height));
    }
    return new Size(width, height);
  }

  private static FileException foreign(byte[] bytes, Path file) {
    return new FileException(
        file,
        bytes.length == 0
            ? "is empty: expected a PNG or JPEG picture"
            : "is neither a PNG nor a JPEG picture: its first bytes are others");
  }
}
