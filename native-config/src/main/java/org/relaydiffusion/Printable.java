// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion;

import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Sanitizes untrusted text for display. Text from a file, a path, an environment variable or
 * another process is passed through this class before it is displayed, so that it can neither forge
 * a line of a log, nor move a terminal's cursor or change its colours, nor reorder or hide adjacent
 * text.
 *
 * <p>Letters of every script, digits, marks, punctuation, symbols and spaces are kept. The
 * following are escaped with their code point in hexadecimal, <code>&#92;u{202e}</code>: control
 * characters (C0, DEL, C1), format characters (bidirectional overrides and isolates, marks,
 * zero-width characters), line and paragraph separators, other characters without a glyph, unpaired
 * surrogates, and private-use and unassigned code points. Backslashes are kept, so sanitizing is
 * idempotent.
 *
 * <p>The result has a bounded length. In longer text, the middle is omitted, so that a name keeps
 * its extension.
 */
public final class Printable {
  /**
   * The maximum number of characters (UTF-16 code units) of a name or a value, including the
   * omission mark.
   */
  public static final int MOST = 120;

  /** The maximum number of characters of a path: longer than any that a file system accepts. */
  private static final int MOST_OF_PATH = 4096;

  /**
   * The maximum number of characters of a message, which may quote a path and two or three values.
   */
  private static final int MOST_OF_LINE = 8192;

  private static final String CUT = "...";
  private static final Pattern LINE_BREAKS = Pattern.compile("\\s*[\\r\\n]+\\s*");

  private Printable() {}

  /** Sanitizes a name or a value, within {@value #MOST} characters. */
  public static String of(String text) {
    return of(text, MOST);
  }

  /** Sanitizes a path. It is not truncated, unless it is longer than any file system accepts. */
  public static String of(Path path) {
    return of(path.toString(), MOST_OF_PATH);
  }

  /**
   * Sanitizes a name or a value.
   *
   * @param text any text
   * @param most maximum number of characters of the result, at least 16
   */
  public static String of(String text, int most) {
    if (most < 16) {
      throw new IllegalArgumentException("most is %s, expected at least 16".formatted(most));
    }
    StringBuilder whole = new StringBuilder(Math.min(text.length(), most));
    if (take(text, 0, most, whole) == text.length()) {
      return whole.toString();
    }
    int kept = most - CUT.length();
    StringBuilder shown = new StringBuilder(most);
    take(text, 0, kept - kept / 3, shown);
    return shown.append(CUT).append(ending(text, kept / 3)).toString();
  }

  /** Sanitizes a line, which is only truncated if it is longer than a screen. */
  public static String line(String text) {
    return of(text, MOST_OF_LINE);
  }

  /**
   * Sanitizes the message of an exception as one line. The lines of a multi-line message are joined
   * with "; ".
   *
   * @param text any text; null gives "no reason given"
   */
  public static String message(@Nullable String text) {
    if (text == null) {
      return "no reason given";
    }
    boolean isOne = text.indexOf('\n') < 0 && text.indexOf('\r') < 0;
    return line(isOne ? text : LINE_BREAKS.matcher(text.strip()).replaceAll("; "));
  }

  /**
   * Appends sanitized code points as long as they fit.
   *
   * @return the index of the first that did not fit, or the length of the text
   */
  private static int take(String text, int from, int most, StringBuilder shown) {
    int i = from;
    while (i < text.length()) {
      int c = text.codePointAt(i);
      int before = shown.length();
      show(c, shown);
      if (shown.length() > most) {
        shown.setLength(before);
        break;
      }
      i += Character.charCount(c);
    }
    return i;
  }

  /** Returns as many of the last sanitized code points as fit. */
  private static String ending(String text, int most) {
    StringBuilder one = new StringBuilder();
    int length = 0;
    int start = text.length();
    while (start > 0) {
      int c = text.codePointBefore(start);
      one.setLength(0);
      show(c, one);
      length += one.length();
      if (length > most) {
        break;
      }
      start -= Character.charCount(c);
    }
    StringBuilder shown = new StringBuilder(most);
    take(text, start, most, shown);
    return shown.toString();
  }

  private static void show(int c, StringBuilder shown) {
    if (isShown(c)) {
      shown.appendCodePoint(c);
    } else {
      shown.append("\\u{").append(Integer.toHexString(c)).append('}');
    }
  }

  /** Returns whether a code point is kept. */
  public static boolean isShown(int c) {
    if (c >= ' ' && c < 0x7f) {
      return true;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> !isInvisible(c);
    };
  }

  /**
   * Letters and marks that Unicode allows a font to render as nothing
   * (Default_Ignorable_Code_Point).
   */
  private static boolean isInvisible(int c) {
    return c == 0x34f // combining grapheme joiner
        || c == 0x115f // Hangul fillers
        || c == 0x1160
        || c == 0x3164
        || c == 0xffa0
        || c == 0x17b4 // Khmer inherent vowels
        || c == 0x17b5
        || (c >= 0x180b && c <= 0x180f) // Mongolian variation selectors
        || (c >= 0xfe00 && c <= 0xfe0f) // variation selectors
        || (c >= 0xe0100 && c <= 0xe01ef);
  }
}
