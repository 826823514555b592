package org.relaydiffusion;

import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Text from outside, made fit to be shown. Whatever comes from a file, a path, an environment
 * variable or another process goes through here before a person sees it: it can neither forge a
 * line of a log, nor move a terminal's cursor or recolour it, nor reorder or hide what stands
 * beside it.
 *
 * <p>What is shown as it is: letters of every script, digits, marks, punctuation, symbols and
 * spaces. What becomes an escape with its code point in hexadecimal, <code>&#92;u{202e}</code>:
 * control characters (C0, DEL, C1), format characters (bidirectional overrides and isolates, marks,
 * zero-width characters), separators of lines and paragraphs, other characters without a glyph,
 * surrogates without their pair, and private and unassigned code points. A backslash stays as it
 * is, so text that went through here already is not changed by going through again.
 *
 * <p>The result has a bounded length. Of longer text the middle is left out, so that a name keeps
 * its ending.
 */
public final class Printable {
  /** The most characters (UTF-16 code units) of a name or a value, the mark of a cut included. */
  public static final int MOST = 120;

  /** The most characters of a path: longer than any that a file system takes in one call. */
  private static final int MOST_OF_PATH = 4096;

  /** The most characters of a whole message. It may quote a path and two or three values. */
  private static final int MOST_OF_LINE = 8192;

  private static final String CUT = "...";
  private static final Pattern LINE_BREAKS = Pattern.compile("\\s*[\\r\\n]+\\s*");

  private Printable() {}

  /** A name or a value, within {@value #MOST} characters. */
  public static String of(String text) {
    return of(text, MOST);
  }

  /** A path. It is not cut, unless it is longer than any file system takes. */
  public static String of(Path path) {
    return of(path.toString(), MOST_OF_PATH);
  }

  /**
   * A name or a value.
   *
   * @param text anything
   * @param most the most characters of the result, at least 16
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

  /** A whole line. It is cut only where it is longer than a screen. */
  public static String line(String text) {
    return of(text, MOST_OF_LINE);
  }

  /**
   * The message of an exception, as a line. Messages from elsewhere have several lines at times:
   * they are joined by "; ".
   *
   * @param text anything; null gives "no reason given"
   */
  public static String message(@Nullable String text) {
    if (text == null) {
      return "no reason given";
    }
    boolean isOne = text.indexOf('\n') < 0 && text.indexOf('\r') < 0;
    return line(isOne ? text : LINE_BREAKS.matcher(text.strip()).replaceAll("; "));
  }

  /**
   * Appends code points as shown, as long as they fit.
   *
   * @return the index of the first that did not fit, or the text's length
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

  /** The last code points as shown, as many as fit. */
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

  /** Whether a code point is shown as it is. */
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

  /** Letters and marks that Unicode lets a font show as nothing (Default_Ignorable_Code_Point). */
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
