// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.nio.file.Path;
import java.util.function.Supplier;
import org.relaydiffusion.FileException;

/**
 * Limits on the resources for decoding an image. A header is untrusted: a few bytes can declare
 * gigabytes. Every image reader checks the declared size against these limits, and against the
 * maximum that the bytes of the file can contain, before allocating memory for it.
 *
 * <p>The limits allow photographs and scans of 100 megapixels; they exclude images above 16.8
 * megapixels that are nearly blank.
 */
public final class PictureBudget {
  /**
   * The maximum number of pixels of an image, 2^27 (134 megapixels). Decoding needs at most 16
   * bytes of Java heap per pixel (four 16-bit samples, and the result); at most 6 for 8-bit PNG and
   * JPEG, and at most 7 for CMYK and WebP.
   */
  public static final long MOST_PIXELS = 1L << 27;

  /**
   * The maximum number of bytes of an image file, 2^29 (512 MiB): all pixels at 8 bits,
   * uncompressed.
   */
  public static final int MOST_BYTES = 1 << 29;

  /** Up to this number of pixels, 2^24 (4096 x 4096), any compression ratio is allowed. */
  public static final long FREE_PIXELS = 1L << 24;

  /** Above {@link #FREE_PIXELS}, the maximum number of pixels per byte of the file. */
  public static final int MOST_PIXELS_A_BYTE = 256;

  /**
   * The pixels of all scans of a progressive JPEG, each of which is decoded completely: up to 2^26
   * in any file, above it at most {@link #MOST_PASSED_PIXELS_A_BYTE} per byte.
   */
  public static final long FREE_PASSED_PIXELS = 1L << 26;

  /** Above {@link #FREE_PASSED_PIXELS}, the maximum number of pixels of all scans per byte. */
  public static final int MOST_PASSED_PIXELS_A_BYTE = 1024;

  private PictureBudget() {}

  /**
   * Rejects a size that is invalid or above the limits.
   *
   * @param width declared number of columns
   * @param height declared number of rows
   * @param bytes length of the file
   * @param held the maximum number of pixels that the format can compress into this number of bytes
   * @param file for messages
   * @throws FileException if the image must not be decoded
   */
  static void checkPixels(long width, long height, long bytes, long held, Path file) {
    if (width < 1 || height < 1) {
      throw new FileException(
          file, "is damaged: it declares %s x %s pixels".formatted(width, height));
    }
    // Neither product overflows: both sides are below 2^32, and both factors are checked against
    // the maximum.
    if (width > MOST_PIXELS || height > MOST_PIXELS || width * height > MOST_PIXELS) {
      throw new FileException(
          file, "has %s x %s pixels, but the maximum is %s".formatted(width, height, MOST_PIXELS));
    }
    if (width * height > held) {
      throw new FileException(
          file,
          "is damaged: it declares %s x %s pixels, more than its bytes can contain"
              .formatted(width, height));
    }
    if (width * height > FREE_PIXELS && width * height > bytes * MOST_PIXELS_A_BYTE) {
      throw new FileException(
          file,
          ("declares %s x %s pixels in %s bytes: above %s pixels, an image must have at least one"
                  + " byte per %s")
              .formatted(width, height, bytes, FREE_PIXELS, MOST_PIXELS_A_BYTE));
    }
  }

  /** Rejects a JPEG whose scans require more work than its size justifies. */
  static void checkPasses(long width, long height, int passes, long bytes, Path file) {
    long work = width * height * passes;
    if (work > FREE_PASSED_PIXELS && work > bytes * MOST_PASSED_PIXELS_A_BYTE) {
      throw new FileException(
          file,
          ("declares %s scans of %s x %s pixels in %s bytes, more than plausible for a JPEG of"
                  + " that size")
              .formatted(passes, width, height, bytes));
    }
  }

  /**
   * Decodes an image of known size, and names it if the Java heap is too small.
   *
   * @param bytesAPixel approximate heap memory per pixel
   * @throws FileException naming the file and the memory it needs, instead of an {@link
   *     OutOfMemoryError}
   */
  static <T> T decoded(Path file, long width, long height, long bytesAPixel, Supplier<T> decoding) {
    try {
      return decoding.get();
    } catch (OutOfMemoryError e) {
      // The memory allocated for the image is free again, so it is safe to continue.
      throw tooLarge(
          file,
          "about %s MiB to decode %s x %s pixels"
              .formatted(Math.ceilDiv(width * height * bytesAPixel, 1L << 20), width, height),
          e);
    }
  }

  /**
   * Processes an image, including reading its bytes, and names it if the Java heap is too small.
   *
   * @param file the name used in messages
   * @param work reads, decodes or transforms one image
   * @throws FileException naming the file, instead of an {@link OutOfMemoryError}
   */
  public static <T> T within(Path file, Supplier<T> work) {
    try {
      return work.get();
    } catch (OutOfMemoryError e) {
      throw tooLarge(file, "more memory", e);
    }
  }

  private static FileException tooLarge(Path file, String needed, OutOfMemoryError e) {
    return new FileException(
        file,
        "requires %s, but the Java heap is limited to %s MiB: increase it with -Xmx, or use"
                .formatted(needed, Runtime.getRuntime().maxMemory() >> 20)
            + " fewer workers",
        e);
  }
}
