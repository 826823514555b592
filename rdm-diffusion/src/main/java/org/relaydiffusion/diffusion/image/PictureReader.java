// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.webp.WebpFile;
import org.relaydiffusion.io.MappedFile;

/**
 * Reads images as 8-bit grayscale or RGB with the pixel values of Pillow: {@code open} for
 * grayscale, {@code convert("RGB")} for everything else. The formats are {@link #FORMATS}. Profiles
 * and orientations are ignored (except the orientation of a TIFF), palettes are applied, CMYK is
 * converted to RGB, 16-bit samples are reduced to their high byte, and alpha is dropped:
 * transparent pixels have their stored colour. Other formats and kinds are rejected with an error
 * that names them, and so are files that are damaged or beyond {@link PictureBudget}.
 */
public final class PictureReader {
  /** The supported formats, for messages and help. */
  public static final String FORMATS = PictureFormat.READ;

  /** Deflate expands one byte to at most 1032 bytes. */
  private static final long MOST_INFLATED = 1032;

  /** A macroblock of 256 pixels takes at least 3 bits of a lossy WebP. */
  private static final long LOSSY_PIXELS_PER_BYTE = 256 * 8 / 3;

  /** The position of the size in a PNG file. */
  private static final int PNG_WIDTH = 16;

  private static final int PNG_HEIGHT = 20;

  /** The position of the compression method in a BMP; the oldest headers end before it. */
  private static final int BMP_COMPRESSION = 30;

  private static final int BMP_JPEG = 4;
  private static final int BMP_PNG = 5;

  private PictureReader() {}

  /**
   * Reads an image file.
   *
   * @throws FileException if it is missing, empty, damaged or of an unsupported kind
   */
  public static Pixels read(Path file) {
    return PictureBudget.within(file, () -> decode(bytes(file), file));
  }

  /**
   * Returns the content of an image file.
   *
   * @throws FileException if it is missing, unreadable, or above the maximum size of an image
   */
  public static byte[] bytes(Path file) {
    try (MappedFile mapped = MappedFile.open(file)) {
      if (mapped.size() > PictureBudget.MOST_BYTES) {
        throw new FileException(
            file,
            "has %s bytes, but the maximum for an image is %s"
                .formatted(mapped.size(), PictureBudget.MOST_BYTES));
      }
      return mapped.bytes(0, (int) mapped.size(), "the image");
    }
  }

  /**
   * Decodes an image from memory.
   *
   * @param bytes a complete image file
   * @param file the name used in messages: its path, or its name inside an archive
   * @throws FileException as {@link #read}
   */
  public static Pixels decode(byte[] bytes, Path file) {
    return switch (PictureFormat.of(bytes, file)) {
      case PNG -> png(bytes, file);
      case JPEG -> JpegDecoder.decode(bytes, file);
      case WEBP -> webp(bytes, file);
      case TIFF -> TiffFile.decode(bytes, file);
      case GIF -> GifFile.decode(bytes, file);
      case BMP -> bmp(bytes, file);
      case NETPBM -> NetpbmFile.decode(bytes, file);
    };
  }

  private static Pixels png(byte[] bytes, Path file) {
    PngFile png = PngFile.parse(ByteBuffer.wrap(bytes), file);
    long held = bytes.length * MOST_INFLATED * 8 / png.bitsAPixel();
    PictureBudget.checkPixels(png.width(), png.height(), bytes.length, held, file);
    if (PngDecoder.decodes(bytes, png)) {
      return PictureBudget.decoded(
          file, png.width(), png.height(), 3, () -> PngDecoder.decode(bytes, png, file));
    }
    // Java represents grayscale images of fewer than 8 bits with a palette.
    boolean isGrey = png.colourType() != PngFile.PALETTE;
    return new JavaDecoder(PngFile.essential(bytes), "png", file)
        .decode(MOST_INFLATED * 8, RasterPixels.plain(file, _ -> isGrey)::pixels);
  }

  private static Pixels webp(byte[] bytes, Path file) {
    WebpFile webp = WebpFile.parse(bytes, file);
    // A single colour takes no bits at all in a lossless frame, and neither does the canvas around
    // it.
    boolean isWhole = webp.frameWidth() == webp.width() && webp.frameHeight() == webp.height();
    long held =
        webp.isLossless() || !isWhole ? Long.MAX_VALUE : bytes.length * LOSSY_PIXELS_PER_BYTE;
    PictureBudget.checkPixels(webp.width(), webp.height(), bytes.length, held, file);
    return PictureBudget.decoded(
        file,
        webp.width(),
        webp.height(),
        webp.isLossless() ? 4 + 3 : 5,
        () -> new Pixels(webp.width(), webp.height(), 3, webp.decode(bytes, file)));
  }

  private static Pixels bmp(byte[] bytes, Path file) {
    // A BMP may contain a complete JPEG or PNG, for printers, which would declare a size of its
    // own.
    int compression = bytes.length > BMP_COMPRESSION ? bytes[BMP_COMPRESSION] : 0;
    if (compression == BMP_JPEG || compression == BMP_PNG) {
      throw new FileException(
          file, "is a BMP with an embedded JPEG or PNG, which is not supported");
    }
    return new JavaDecoder(bytes, "bmp", file)
        .decode(
            MOST_INFLATED * 8,
            RasterPixels.plain(
                    file,
                    palette ->
                        RasterPixels.isGreyByNumber(palette)
                            || RasterPixels.isBlackAndWhite(palette))
                ::pixels);
  }

  /**
   * Returns the size declared by the header of an image, without decoding it, so that callers can
   * reject unexpected sizes before memory is allocated.
   *
   * @param bytes a complete image file
   * @param file the name used in messages
   * @throws FileException as {@link #read}, as far as the header shows it
   */
  public static Size size(byte[] bytes, Path file) {
    Size size =
        switch (PictureFormat.of(bytes, file)) {
          case PNG -> pngSize(bytes, file);
          case JPEG -> {
            JpegFile jpeg = JpegFile.parse(bytes, 0, bytes.length, file);
            yield new Size(jpeg.width(), jpeg.height());
          }
          case WEBP -> {
            WebpFile webp = WebpFile.parse(bytes, file);
            yield new Size(webp.width(), webp.height());
          }
          case TIFF -> TiffFile.size(bytes, file);
          case GIF -> GifFile.size(bytes, file);
          case BMP -> new JavaDecoder(bytes, "bmp", file).checkSize(MOST_INFLATED * 8);
          case NETPBM -> NetpbmFile.size(bytes, file);
        };
    if (size.width() < 1 || size.height() < 1) {
      throw new FileException(
          file, "is damaged: it declares %s x %s pixels".formatted(size.width(), size.height()));
    }
    return size;
  }

  private static Size pngSize(byte[] bytes, Path file) {
    if (bytes.length < PNG_HEIGHT + Integer.BYTES) {
      throw new FileException(file, "is truncated: it ends in its header");
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    return new Size(buffer.getInt(PNG_WIDTH), buffer.getInt(PNG_HEIGHT));
  }

  /**
   * The size of an image in pixels.
   *
   * @param width columns, at least 1
   * @param height rows, at least 1
   */
  public record Size(int width, int height) {}
}
