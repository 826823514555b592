package org.relaydiffusion.diffusion.image;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.relaydiffusion.FileException;

/**
 * Reads pictures of the formats that data sets come in: PNG and JPEG as {@link PictureReader} does,
 * and by the same rules BMP, TIFF and the first picture of a GIF. Grey PNG files with alpha are
 * refused, as the reference's data set tool refuses them.
 */
public final class OtherPictureReader {
  /** No format here packs more pixels into a byte than deflate at one bit a pixel. */
  private static final long PIXELS_PER_BYTE = 1032 * 8;

  /** Where a BMP says how it is packed; the oldest headers end before. */
  private static final int BMP_COMPRESSION = 30;

  private static final int BMP_JPEG = 4;
  private static final int BMP_PNG = 5;

  private OtherPictureReader() {}

  /**
   * Decodes a picture from memory.
   *
   * @param bytes a whole picture file
   * @param file what messages call it: its path, or its name inside an archive
   * @throws FileException when it is empty, damaged or of a kind that is not read
   */
  public static Pixels decode(byte[] bytes, Path file) {
    Optional<String> format = format(bytes);
    if (format.isPresent()) {
      refuseNested(bytes, file);
      return new JavaDecoder(bytes, format.get(), file).decode(PIXELS_PER_BYTE);
    }
    if (TiffFile.isTiff(bytes)) {
      TiffFile.check(bytes, file);
      return new JavaDecoder(bytes, "tiff", file).decode(PIXELS_PER_BYTE);
    }
    if (startsWith(bytes, 0, "RIFF") && startsWith(bytes, 8, "WEBP")) {
      throw new FileException(
          file, "is a WebP picture, which is not read: convert it to PNG or JPEG first");
    }
    if (PngFile.isPng(ByteBuffer.wrap(bytes))
        && PngFile.parse(ByteBuffer.wrap(bytes), file).colourType() == PngFile.GREY_ALPHA) {
      throw new FileException(
          file, "is grey with an alpha channel, which is not read: save it as grey or RGB first");
    }
    return PictureReader.decode(bytes, file);
  }

  /** A BMP may hold a whole JPEG or PNG, for printers, which would claim a size of its own. */
  private static void refuseNested(byte[] bytes, Path file) {
    if (startsWith(bytes, 0, "BM") && bytes.length > BMP_COMPRESSION) {
      int compression = bytes[BMP_COMPRESSION];
      if (compression == BMP_JPEG || compression == BMP_PNG) {
        throw new FileException(
            file, "is a BMP with a JPEG or PNG picture inside it, which is not read");
      }
    }
  }

  private static Optional<String> format(byte[] bytes) {
    if (startsWith(bytes, 0, "BM")) {
      return Optional.of("bmp");
    }
    return startsWith(bytes, 0, "GIF8") ? Optional.of("gif") : Optional.empty();
  }

  private static boolean startsWith(byte[] bytes, int offset, String text) {
    return bytes.length >= offset + text.length()
        && new String(bytes, offset, text.length(), StandardCharsets.ISO_8859_1).equals(text);
  }
}
