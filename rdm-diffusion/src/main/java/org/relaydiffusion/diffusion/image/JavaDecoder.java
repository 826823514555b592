package org.relaydiffusion.diffusion.image;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;

/** Decodes pictures with the JDK's ImageIO, within {@link PictureBudget}. */
final class JavaDecoder {
  private final byte[] bytes;
  private final String format;
  private final Path file;

  /**
   * Makes one for a picture.
   *
   * @param bytes a whole picture file
   * @param format ImageIO's name of its format, in small letters
   * @param file what messages call it
   */
  JavaDecoder(byte[] bytes, String format, Path file) {
    this.bytes = bytes;
    this.format = format;
    this.file = file;
  }

  /** What is done with a reader that has the picture as its input. */
  @FunctionalInterface
  private interface Use<T> {
    T of(ImageReader reader) throws IOException;
  }

  /**
   * Holds the size that the reader finds against the budget.
   *
   * @param pixelsAByte the most that the format can pack
   * @return the size
   * @throws FileException when it is too large
   */
  PictureReader.Size checkSize(long pixelsAByte) {
    PictureReader.Size size =
        with(reader -> new PictureReader.Size(reader.getWidth(0), reader.getHeight(0)));
    PictureBudget.checkPixels(
        size.width(), size.height(), bytes.length, bytes.length * pixelsAByte, file);
    return size;
  }

  /**
   * The stored samples, without any conversion of colours.
   *
   * @throws FileException when it is damaged, or of a kind that is not read
   */
  Raster samples() {
    return whole(reader -> reader.readRaster(0, null));
  }

  /**
   * The picture as the JDK has it.
   *
   * @throws FileException when it is damaged, or of a kind that is not read
   */
  BufferedImage picture() {
    return whole(reader -> reader.read(0));
  }

  /**
   * The decoded picture, as {@code conversion} makes it of the JDK's.
   *
   * @param pixelsAByte the most that the format can pack
   * @throws FileException when it is damaged, above the budget, or of a kind that is not read
   */
  Pixels decode(long pixelsAByte, Function<BufferedImage, Pixels> conversion) {
    PictureReader.Size size = checkSize(pixelsAByte);
    // A raster of at most four samples of 16 bits, and the result.
    long bytesAPixel = 8 + 3;
    return PictureBudget.decoded(
        file,
        size.width(),
        size.height(),
        bytesAPixel,
        () -> converted(() -> conversion.apply(picture())));
  }

  /**
   * What a step makes of the decoded picture. It too meets damage that the JDK's decoders let pass:
   * its exceptions become the same message as theirs.
   *
   * @throws FileException as {@code step}, and in the place of its other exceptions
   */
  <T> T converted(Supplier<T> step) {
    try {
      return step.get();
    } catch (FileException e) {
      throw e;
    } catch (RuntimeException e) {
      throw damaged(e);
    }
  }

  private <T> T whole(Use<T> use) {
    AtomicReference<@Nullable String> damage = new AtomicReference<>();
    T result =
        with(reader -> {
          reader.addIIOReadWarningListener((_, warning) -> {
            if (isDamage(warning)) {
              damage.compareAndSet(null, warning);
            }
          });
          return use.of(reader);
        });
    String found = damage.get();
    if (found != null) {
      throw new FileException(file, fault(found));
    }
    return result;
  }

  private <T> T with(Use<T> use) {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
    if (!readers.hasNext()) {
      throw new FileException(file, "cannot be read: this Java has no decoder for " + format);
    }
    ImageReader reader = readers.next();
    try (BytesImageInput in = new BytesImageInput(bytes)) {
      reader.setInput(in, true, true);
      return use.of(reader);
    } catch (FileException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // The JDK's decoders answer some damage with array and argument exceptions.
      throw damaged(e);
    } finally {
      reader.dispose();
    }
  }

  private FileException damaged(Exception e) {
    String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return new FileException(file, fault(reason), e);
  }

  private String fault(String found) {
    String name = format.toUpperCase(Locale.ROOT);
    String line = found.lines().findFirst().orElse("no reason given");
    return line.contains("Unsupported Image Type")
        ? "is a %s picture with colours other than grey and RGB: convert it to RGB".formatted(name)
        : "is a damaged %s picture: %s".formatted(name, line);
  }

  /** libjpeg goes on after most damage with a warning; stray bytes between segments do no harm. */
  private static boolean isDamage(String warning) {
    return warning.startsWith("Premature end")
        || (warning.startsWith("Corrupt JPEG data") && !warning.contains("extraneous bytes"));
  }
}
