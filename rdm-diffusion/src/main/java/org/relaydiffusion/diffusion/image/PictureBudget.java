package org.relaydiffusion.diffusion.image;

import java.nio.file.Path;
import java.util.function.Supplier;
import org.relaydiffusion.FileException;

/**
 * What one picture may cost before it is decoded. A header is a claim: a few bytes can claim
 * gigabytes. Every reader of pictures holds the claim against these limits, and against what the
 * file's bytes can hold, before anything of that size is allocated.
 *
 * <p>The limits leave room for photographs of 100 megapixels and for scans; they leave out pictures
 * above 16.8 megapixels that are nearly blank.
 */
public final class PictureBudget {
  /**
   * The most pixels of a picture, 2^27 (134 megapixels). Decoding takes at most 16 bytes of Java's
   * heap a pixel (four samples of 16 bits, and the result); for PNG and JPEG of 8 bits a sample at
   * most 6, for CMYK and WebP at most 7.
   */
  public static final long MOST_PIXELS = 1L << 27;

  /** The most bytes of a picture file, 2^29 (512 MiB): all pixels at 8 bits, uncompressed. */
  public static final int MOST_BYTES = 1 << 29;

  /** Up to this many pixels, 2^24 (4096 x 4096), a picture may be packed as tightly as can be. */
  public static final long FREE_PIXELS = 1L << 24;

  /** Above {@link #FREE_PIXELS}, the most pixels for each byte of the file. */
  public static final int MOST_PIXELS_A_BYTE = 256;

  /**
   * The pixels of all passes of a progressive JPEG, each of which is decoded whole: up to 2^26 in
   * any file, above it at most {@link #MOST_PASSED_PIXELS_A_BYTE} for each of its bytes.
   */
  public static final long FREE_PASSED_PIXELS = 1L << 26;

  /** Above {@link #FREE_PASSED_PIXELS}, the most pixels of all passes for each byte. */
  public static final int MOST_PASSED_PIXELS_A_BYTE = 1024;

  private PictureBudget() {}

  /**
   * Refuses a size that is no size or above the limits.
   *
   * @param width columns that are claimed
   * @param height rows that are claimed
   * @param bytes length of the file
   * @param held the most pixels that the format can pack into so many bytes
   * @param file for messages
   * @throws FileException when the picture is not to be decoded
   */
  static void checkPixels(long width, long height, long bytes, long held, Path file) {
    if (width < 1 || height < 1) {
      throw new FileException(
          file, "is damaged: it claims %s x %s pixels".formatted(width, height));
    }
    // Neither product overflows: both sides are below 2^32, both factors checked against the most.
    if (width > MOST_PIXELS || height > MOST_PIXELS || width * height > MOST_PIXELS) {
      throw new FileException(
          file,
          "has %s x %s pixels, but at most %s are read".formatted(width, height, MOST_PIXELS));
    }
    if (width * height > held) {
      throw new FileException(
          file,
          "is damaged: it claims %s x %s pixels, more than its bytes can hold"
              .formatted(width, height));
    }
    if (width * height > FREE_PIXELS && width * height > bytes * MOST_PIXELS_A_BYTE) {
      throw new FileException(
          file,
          "claims %s x %s pixels in %s bytes: above %s pixels a picture has at least one byte for %s"
              .formatted(width, height, bytes, FREE_PIXELS, MOST_PIXELS_A_BYTE));
    }
  }

  /** Refuses a JPEG whose passes together take more work than its bytes account for. */
  static void checkPasses(long width, long height, int passes, long bytes, Path file) {
    long work = width * height * passes;
    if (work > FREE_PASSED_PIXELS && work > bytes * MOST_PASSED_PIXELS_A_BYTE) {
      throw new FileException(
          file,
          "claims %s passes over %s x %s pixels in %s bytes: more than a JPEG of that size has"
              .formatted(passes, width, height, bytes));
    }
  }

  /**
   * Decodes a picture of a known size, and says which one it was where Java's heap is too small.
   *
   * @param bytesAPixel about how much of the heap is taken for each pixel
   * @throws FileException naming the file and the size it needs, in the place of an {@link
   *     OutOfMemoryError}
   */
  static <T> T decoded(Path file, long width, long height, long bytesAPixel, Supplier<T> decoding) {
    try {
      return decoding.get();
    } catch (OutOfMemoryError e) {
      // What was allocated for the picture is free again: going on is safe.
      throw tooLarge(
          file,
          "about %s MiB to decode %s x %s pixels"
              .formatted(Math.ceilDiv(width * height * bytesAPixel, 1L << 20), width, height),
          e);
    }
  }

  /**
   * Works on a picture, reading its bytes included, and says which one it was where Java's heap is
   * too small.
   *
   * @param file what messages call the picture
   * @param work reads, decodes or transforms one picture
   * @throws FileException naming the file, in the place of an {@link OutOfMemoryError}
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
        "needs %s, but Java's heap is limited to %s MiB and in use: raise it with -Xmx, or use"
                .formatted(needed, Runtime.getRuntime().maxMemory() >> 20)
            + " fewer workers",
        e);
  }
}
