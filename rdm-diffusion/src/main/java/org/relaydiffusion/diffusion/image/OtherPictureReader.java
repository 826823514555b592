package org.relaydiffusion.diffusion.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Optional;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.relaydiffusion.FileException;

/**
 * Reads pictures of the formats that data sets come in: PNG and JPEG as {@link PictureReader} does,
 * and by the same rules BMP, TIFF and the first picture of a GIF. Grey PNG files with alpha are
 * refused, as the reference's data set tool refuses them.
 */
public final class OtherPictureReader {
  /** No format here packs more pixels into a byte than deflate at one bit a pixel. */
  private static final long PIXELS_PER_BYTE = 1032 * 8;

  private static final int GREY_ALPHA = 4;

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
      return RasterPixels.of(decoded(bytes, format.get(), file), file);
    }
    if (startsWith(bytes, 0, "RIFF") && startsWith(bytes, 8, "WEBP")) {
      throw new FileException(
          file, "is a WebP picture, which is not read: convert it to PNG or JPEG first");
    }
    if (PngFile.isPng(ByteBuffer.wrap(bytes))
        && PngFile.parse(ByteBuffer.wrap(bytes), file).colourType() == GREY_ALPHA) {
      throw new FileException(
          file, "is grey with an alpha channel, which is not read: save it as grey or RGB first");
    }
    return PictureReader.decode(bytes, file);
  }

  private static Optional<String> format(byte[] bytes) {
    if (startsWith(bytes, 0, "BM")) {
      return Optional.of("bmp");
    }
    if (startsWith(bytes, 0, "GIF8")) {
      return Optional.of("gif");
    }
    return startsWith(bytes, 0, "II*\0") || startsWith(bytes, 0, "MM\0*")
        ? Optional.of("tiff")
        : Optional.empty();
  }

  private static boolean startsWith(byte[] bytes, int offset, String text) {
    return bytes.length >= offset + text.length()
        && new String(bytes, offset, text.length(), StandardCharsets.ISO_8859_1).equals(text);
  }

  private static BufferedImage decoded(byte[] bytes, String format, Path file) {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
    if (!readers.hasNext()) {
      throw new FileException(file, "cannot be read: this Java has no decoder for " + format);
    }
    ImageReader reader = readers.next();
    try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
      reader.setInput(in, true, true);
      checkSize(reader.getWidth(0), reader.getHeight(0), bytes.length, file);
      return reader.read(0);
    } catch (FileException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // The JDK's decoders answer some damage with array and argument exceptions.
      String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new FileException(
          file,
          "is a damaged %s picture: %s".formatted(format, reason.lines().findFirst().orElse("")),
          e);
    } finally {
      reader.dispose();
    }
  }

  private static void checkSize(int width, int height, long bytes, Path file) {
    if (width < 1 || height < 1) {
      throw new FileException(
          file, "is damaged: it claims %s x %s pixels".formatted(width, height));
    }
    long pixels = (long) width * height;
    if (pixels > PictureReader.MAX_PIXELS) {
      throw new FileException(
          file,
          "has %s x %s pixels, but at most %s are read"
              .formatted(width, height, PictureReader.MAX_PIXELS));
    }
    if (pixels > bytes * PIXELS_PER_BYTE) {
      throw new FileException(
          file,
          "is damaged: it claims %s x %s pixels, more than its bytes can hold"
              .formatted(width, height));
    }
  }
}
