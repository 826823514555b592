package org.relaydiffusion.diffusion.image;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.webp.WebpFile;
import org.relaydiffusion.io.MappedFile;

/**
 * Reads pictures as 8-bit grey or RGB, with the values that Pillow gives: {@code open} for what is
 * grey, {@code convert("RGB")} for all else. The formats are {@link #FORMATS}. Profiles and
 * orientations are left alone, palettes looked up, CMYK becomes RGB, of 16 bits the high byte is
 * taken, and alpha is left out: transparent pixels get the colour that they are stored with.
 * Refused by name: other formats and kinds, and files that are damaged or beyond {@link
 * PictureBudget}.
 */
public final class PictureReader {
  /** The formats that are read, for messages and help. */
  public static final String FORMATS = PictureFormat.READ;

  /** Deflate makes at most 1032 bytes of one. */
  private static final long MOST_INFLATED = 1032;

  /** A macroblock of 256 pixels takes at least 3 bits of a lossy WebP. */
  private static final long LOSSY_PIXELS_PER_BYTE = 256 * 8 / 3;

  /** Where a PNG file has its size. */
  private static final int PNG_WIDTH = 16;

  private static final int PNG_HEIGHT = 20;

  /** Where a BMP says how it is packed; the oldest headers end before. */
  private static final int BMP_COMPRESSION = 30;

  private static final int BMP_JPEG = 4;
  private static final int BMP_PNG = 5;

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
   * @param bytes a whole picture file
   * @param file what messages call it: its path, or its name inside an archive
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
    // Java gives grey pictures of fewer than 8 bits a palette.
    boolean isGrey = png.colourType() != PngFile.PALETTE;
    return new JavaDecoder(PngFile.essential(bytes), "png", file)
        .decode(MOST_INFLATED * 8, RasterPixels.plain(file, _ -> isGrey)::pixels);
  }

  private static Pixels webp(byte[] bytes, Path file) {
    WebpFile webp = WebpFile.parse(bytes, file);
    // One colour takes no bits at all of a lossless frame, and neither does the canvas around one.
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
    // A BMP may hold a whole JPEG or PNG, for printers, which would claim a size of its own.
    int compression = bytes.length > BMP_COMPRESSION ? bytes[BMP_COMPRESSION] : 0;
    if (compression == BMP_JPEG || compression == BMP_PNG) {
      throw new FileException(
          file, "is a BMP with a JPEG or PNG picture inside it, which is not read");
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
   * What a picture's header claims, without decoding it: for callers that refuse other sizes than
   * their own before anything of that size is made.
   *
   * @param bytes a whole picture file
   * @param file what messages call it
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
          file, "is damaged: it claims %s x %s pixels".formatted(size.width(), size.height()));
    }
    return size;
  }

  private static Size pngSize(byte[] bytes, Path file) {
    if (bytes.length < PNG_HEIGHT + Integer.BYTES) {
      throw new FileException(file, "is cut off: it ends in its header");
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    return new Size(buffer.getInt(PNG_WIDTH), buffer.getInt(PNG_HEIGHT));
  }

  /**
   * A picture's size in pixels.
   *
   * @param width columns, at least 1
   * @param height rows, at least 1
   */
  public record Size(int width, int height) {}
}
