// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.relaydiffusion.Printable;

/**
 * One text of a PNG file.
 *
 * @param keyword what the text is, such as {@code Software}: 1 to 79 printable characters of
 *     Latin-1, single spaces between words allowed
 * @param text any Unicode text without NUL; lines end with a line feed
 */
public record PngTextEntry(String keyword, String text) {
  /** The maximum number of characters of a keyword. */
  public static final int MOST_KEYWORD = 79;

  /** The maximum number of bytes of a text, 1 MiB, as encoded without compression. */
  public static final int MOST_BYTES = 1 << 20;

  private static final int MOST_LATIN_1 = 0xff;

  /**
   * Creates an entry.
   *
   * @throws IllegalArgumentException if the keyword or the text is not allowed
   */
  public PngTextEntry {
    checkKeyword(keyword);
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      if (c == 0 || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
        throw invalid(keyword, "contains NUL or an unpaired surrogate at index " + i);
      }
      i += Character.charCount(c);
    }
    long bytes = textBytes(text);
    if (bytes > MOST_BYTES) {
      throw invalid(keyword, "has %s bytes, but the maximum is %s".formatted(bytes, MOST_BYTES));
    }
  }

  private static IllegalArgumentException invalid(String keyword, String what) {
    return new IllegalArgumentException(
        "the PNG text '%s' %s".formatted(Printable.of(keyword), what));
  }

  private static void checkKeyword(String keyword) {
    if (keyword.isEmpty() || keyword.length() > MOST_KEYWORD) {
      throw new IllegalArgumentException(
          "a PNG keyword has 1 to %s characters, but found %s"
              .formatted(MOST_KEYWORD, keyword.length()));
    }
    boolean isPrintable =
        keyword.chars().allMatch(c -> (c >= ' ' && c <= '~') || (c > 0xa0 && c <= MOST_LATIN_1));
    if (!isPrintable || !keyword.equals(keyword.strip()) || keyword.contains("  ")) {
      throw new IllegalArgumentException(
          ("a PNG keyword has printable Latin-1 characters and single spaces between words, but"
                  + " found '%s'")
              .formatted(Printable.of(keyword)));
    }
  }

  private static boolean isLatin1(String text) {
    return text.chars().allMatch(c -> c <= MOST_LATIN_1);
  }

  private static long textBytes(String text) {
    return isLatin1(text)
        ? text.length()
        : text.codePoints()
            .mapToLong(c -> c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4)
            .sum();
  }

  /** Returns the number of bytes of the text in its chunk. */
  long textBytes() {
    return textBytes(text);
  }

  /** Returns the type of the chunk: {@code tEXt} for Latin-1, otherwise {@code iTXt}. */
  String chunkType() {
    return isLatin1(text) ? "tEXt" : "iTXt";
  }

  /** Returns the content of the chunk. */
  byte[] chunkData() {
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    data.writeBytes(keyword.getBytes(StandardCharsets.ISO_8859_1));
    data.write(0);
    if (isLatin1(text)) {
      data.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
    } else {
      // Not compressed, with compression method 0, an empty language and no translated keyword.
      data.writeBytes(new byte[4]);
      data.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }
    return data.toByteArray();
  }
}
