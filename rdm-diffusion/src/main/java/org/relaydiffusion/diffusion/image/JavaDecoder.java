// SPDX-License-Identifier: Apache-2.0
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

/** Decodes images with the JDK's ImageIO, within {@link PictureBudget}. */
final class JavaDecoder {
  private final byte[] bytes;
  private final String format;
  private final Path file;

  /**
   * Creates a decoder for an image.
   *
   * @param bytes a complete image file
   * @param format ImageIO's name of the format, in lower case
   * @param file the name used in messages
   */
  JavaDecoder(byte[] bytes, String format, Path file) {
    this.bytes = bytes;
    this.format = format;
    this.file = file;
  }

  /** An operation on a reader whose input is the image. */
  @FunctionalInterface
  private interface Use<T> {
    T of(ImageReader reader) throws IOException;
  }

  /**
   * Checks the size found by the reader against the budget.
   *
   * @param pixelsAByte the maximum that the format can compress
   * @return the size
   * @throws FileException if it is too large
   */
  PictureReader.Size checkSize(long pixelsAByte) {
    PictureReader.Size size =
        with(reader -> new PictureReader.Size(reader.getWidth(0), reader.getHeight(0)));
    PictureBudget.checkPixels(
        size.width(), size.height(), bytes.length, bytes.length * pixelsAByte, file);
    return size;
  }

  /**
   * Returns the stored samples, without any colour conversion.
   *
   * @throws FileException if the image is damaged or of an unsupported kind
   */
  Raster samples() {
    return whole(reader -> reader.readRaster(0, null));
  }

  /**
   * Returns the image as decoded by the JDK.
   *
   * @throws FileException if the image is damaged or of an unsupported kind
   */
  BufferedImage picture() {
    return whole(reader -> reader.read(0));
  }

  /**
   * Returns the decoded image after {@code conversion}.
   *
   * @param pixelsAByte the maximum that the format can compress
   * @throws FileException if the image is damaged, above the budget, or of an unsupported kind
   */
  Pixels decode(long pixelsAByte, Function<BufferedImage, Pixels> conversion) {
    PictureReader.Size size = checkSize(pixelsAByte);
    // A raster of at most four 16-bit samples, and the result.
    long bytesAPixel = 8 + 3;
    return PictureBudget.decoded(
        file,
        size.width(),
        size.height(),
        bytesAPixel,
        () -> converted(() -> conversion.apply(picture())));
  }

  /**
   * Applies a step to the decoded image. Damage that the JDK's decoders do not detect may show in
   * this step, so its exceptions are converted to the same message as theirs.
   *
   * @throws FileException as {@code step}, and instead of its other exceptions
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
      throw new FileException(
          file, "cannot be read: this Java runtime has no decoder for " + format);
    }
    ImageReader reader = readers.next();
    try (BytesImageInput in = new BytesImageInput(bytes)) {
      reader.setInput(in, true, true);
      return use.of(reader);
    } catch (FileException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // The JDK's decoders throw array index and argument exceptions on some damage.
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
        ? "is a %s image with colours other than grayscale and RGB: convert it to RGB"
            .formatted(name)
        : "is a damaged %s image: %s".formatted(name, line);
  }

  /**
   * libjpeg continues with a warning after most damage; stray bytes between segments are harmless.
   */
  private static boolean isDamage(String warning) {
    return warning.startsWith("Premature end")
        || (warning.startsWith("Corrupt JPEG data") && !warning.contains("extraneous bytes"));
  }
}
