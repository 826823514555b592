// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import org.relaydiffusion.FileException;

/**
 * The text entries of a PNG file (PNG specification, section 11.3.3): keywords with a text each, in
 * the order of the file. A keyword may occur several times.
 *
 * @param entries at most {@link #MOST_ENTRIES}, with at most {@link #MOST_BYTES} bytes of text in
 *     total
 */
public record PngText(List<PngTextEntry> entries) {
  /** No entries: a file without text. */
  public static final PngText NONE = new PngText(List.of());

  /** The maximum number of entries, 1024. */
  public static final int MOST_ENTRIES = 1024;

  /** The maximum number of bytes of all texts, 4 MiB, as encoded without compression. */
  public static final int MOST_BYTES = 4 << 20;

  /**
   * Creates the entries of a file.
   *
   * @throws IllegalArgumentException if there are too many, or their texts are too long in total
   */
  public PngText {
    entries = List.copyOf(entries);
    if (entries.size() > MOST_ENTRIES) {
      throw new IllegalArgumentException(
          "a PNG has at most %s text entries, but found %s"
              .formatted(MOST_ENTRIES, entries.size()));
    }
    long bytes = entries.stream().mapToLong(PngTextEntry::textBytes).sum();
    if (bytes > MOST_BYTES) {
      throw new IllegalArgumentException(
          "the texts of a PNG have at most %s bytes, but found %s".formatted(MOST_BYTES, bytes));
    }
  }

  /**
   * Creates entries from keywords and texts, in their order.
   *
   * @throws IllegalArgumentException for what {@link PngTextEntry} or this class does not allow
   */
  public static PngText of(SequencedMap<String, String> texts) {
    List<PngTextEntry> entries = new ArrayList<>();
    texts.forEach((keyword, text) -> entries.add(new PngTextEntry(keyword, text)));
    return new PngText(entries);
  }

  /** Returns the first text of a keyword; upper and lower case differ. */
  public Optional<String> get(String keyword) {
    return entries.stream()
        .filter(entry -> entry.keyword().equals(keyword))
        .map(PngTextEntry::text)
        .findFirst();
  }

  /**
   * Reads the entries of a PNG file: {@code tEXt}, {@code zTXt} and {@code iTXt}, compressed or
   * not. The languages and translated keywords of {@code iTXt} are dropped. The checksums of all
   * chunks are checked; pixels are not decoded.
   *
   * @throws FileException if the file is missing, truncated or damaged, is not a PNG, or has texts
   *     beyond the limits of this class or of {@link PngTextEntry}
   */
  public static PngText read(Path file) {
    return PngFile.read(file, bytes -> PngTextReader.read(bytes, file));
  }

  /**
   * Reads the entries of a PNG in memory, as {@link #read}.
   *
   * @param png a complete PNG file
   * @param file the name used in messages
   */
  public static PngText decode(byte[] png, Path file) {
    return PngTextReader.read(ByteBuffer.wrap(png), file);
  }
}
