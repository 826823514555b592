package org.relaydiffusion.diffusion.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.MappedFile;

/**
 * Reads PNG and JPEG pictures as 8-bit grey or RGB. Palettes are looked up, 1, 2, 4 and 16 bits
 * scaled to 8, an alpha channel that is opaque everywhere is dropped. Refused by name: transparent
 * pixels, CMYK, other formats, and files that are damaged or claim more pixels than they can hold.
 */
public final class PictureReader {
  /** The most pixels a picture may have, 2^27: 400 MB as RGB. */
  public static final long MAX_PIXELS = 1L << 27;

  private static final long MAX_FILE_BYTES = 1L << 30;

  /** Deflate makes at most 1032 bytes of one; a PNG pixel has at least one bit. */
  private static final long PNG_PIXELS_PER_BYTE = 1032 * 8;

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
    try (MappedFile mapped = MappedFile.open(file)) {
      if (mapped.size() > MAX_FILE_BYTES) {
        throw new FileException(
            file, "has %s bytes, more than a picture should".formatted(mapped.size()));
      }
      return decode(mapped.bytes(0, (int) mapped.size(), "the picture"), file);
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
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    if (PngFile.isPng(buffer)) {
      PngFile png = PngFile.parse(buffer, file);
      checkSize(png.width(), png.height(), bytes.length * PNG_PIXELS_PER_BYTE, file);
      if (PngDecoder.decodes(bytes, png)) {
        return PngDecoder.decode(bytes, png, file);
      }
      Pixels pixels = RasterPixels.of(decoded(bytes, "png", file), file);
      return png.colourType() == PngFile.PALETTE ? pixels.toRgb() : pixels;
    }
    if (isJpeg(bytes)) {
      return RasterPixels.of(decoded(bytes, "jpeg", file), file);
    }
    throw foreign(bytes, file);
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
    if (!isJpeg(bytes)) {
      throw foreign(bytes, file);
    }
    ImageReader reader = reader("jpeg", file);
    try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
      reader.setInput(in, true, true);
      return checked(reader.getWidth(0), reader.getHeight(0), file);
    } catch (FileException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw new FileException(file, fault("jpeg", String.valueOf(e.getMessage())), e);
    } finally {
      reader.dispose();
    }
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

  private static boolean isJpeg(byte[] bytes) {
    return bytes.length > 2 && bytes[0] == (byte) 0xff && bytes[1] == (byte) 0xd8;
  }

  private static FileException foreign(byte[] bytes, Path file) {
    return new FileException(
        file,
        bytes.length == 0
            ? "is empty: expected a PNG or JPEG picture"
            : "is neither a PNG nor a JPEG picture: its first bytes are others");
  }

  private static ImageReader reader(String format, Path file) {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
    if (!readers.hasNext()) {
      throw new FileException(file, "cannot be read: this Java has no decoder for " + format);
    }
    return readers.next();
  }

  private static void checkSize(int width, int height, long most, Path file) {
    long pixels = (long) width * height;
    if (pixels > MAX_PIXELS) {
      throw new FileException(
          file, "has %s x %s pixels, but at most %s are read".formatted(width, height, MAX_PIXELS));
    }
    if (pixels > most) {
      throw new FileException(
          file,
          "is damaged: it claims %s x %s pixels, more than its bytes can hold"
              .formatted(width, height));
    }
  }

  private static BufferedImage decoded(byte[] bytes, String format, Path file) {
    ImageReader reader = reader(format, file);
    AtomicReference<@Nullable String> damage = new AtomicReference<>();
    reader.addIIOReadWarningListener((_, warning) -> {
      if (isDamage(warning)) {
        damage.compareAndSet(null, warning);
      }
    });
    BufferedImage image;
    try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
      reader.setInput(in, true, true);
      if (format.equals("jpeg")) {
        checkSize(
            reader.getWidth(0), reader.getHeight(0), bytes.length * JPEG_PIXELS_PER_BYTE, file);
      }
      image = reader.read(0);
    } catch (FileException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // The JDK's decoders answer some damage with array and argument exceptions.
      throw new FileException(file, fault(format, String.valueOf(e.getMessage())), e);
    } finally {
      reader.dispose();
    }
    String found = damage.get();
    if (found != null) {
      throw new FileException(file, fault(format, found));
    }
    return image;
  }

  private static String fault(String format, String found) {
    String name = format.toUpperCase(Locale.ROOT);
    String line = found.lines().findFirst().orElse("no reason given");
    return line.contains("Unsupported Image Type")
        ? "is a %s picture with colours other than grey and RGB (CMYK?): convert it to RGB"
            .formatted(name)
        : "is a damaged %s picture: %s".formatted(name, line);
  }

  /** libjpeg goes on after most damage with a warning; stray bytes between segments do no harm. */
  private static boolean isDamage(String warning) {
    return warning.startsWith("Premature end")
        || (warning.startsWith("Corrupt JPEG data") && !warning.contains("extraneous bytes"));
  }
}
