// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.progress;

/** The width of text on a terminal, in columns. */
public final class DisplayWidth {
  private static final String CUT = "...";

  private DisplayWidth() {}

  /**
   * Truncates a text to at most {@code columns} columns. A truncated text ends with "..." if there
   * is room for it.
   *
   * @param text without control characters
   * @param columns 0 or more
   */
  public static String cut(String text, int columns) {
    if (text.length() <= columns / 2 || of(text) <= columns) {
      return text;
    }
    String end = columns > 3 * CUT.length() ? CUT : "";
    int left = columns - end.length();
    int i = 0;
    while (i < text.length()) {
      int c = text.codePointAt(i);
      left -= of(c);
      if (left < 0) {
        break;
      }
      i += Character.charCount(c);
    }
    return text.substring(0, i) + end;
  }

  /** Returns the number of columns of a text. */
  public static int of(String text) {
    return text.codePoints().map(DisplayWidth::of).sum();
  }

  private static int of(int c) {
    if (c < 0x300) {
      return 1;
    }
    int type = Character.getType(c);
    if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
      return 0;
    }
    return isWide(c) ? 2 : 1;
  }

  /** East Asian Width W and F (Unicode TR 11), by blocks. */
  private static boolean isWide(int c) {
    return c >= 0x1100
        && (c <= 0x115f // Hangul initials
            || (c >= 0x2e80 && c <= 0x303e) // radicals, CJK punctuation
            || (c >= 0x3041 && c <= 0xa4cf) // kana, ideographs, Yi
            || (c >= 0xa960 && c <= 0xa97f) // Hangul initials, extended
            || (c >= 0xac00 && c <= 0xd7a3) // Hangul syllables
            || (c >= 0xf900 && c <= 0xfaff) // compatibility ideographs
            || (c >= 0xfe10 && c <= 0xfe19) // vertical forms
            || (c >= 0xfe30 && c <= 0xfe6f) // compatibility forms
            || (c >= 0xff00 && c <= 0xff60) // full-width forms
            || (c >= 0xffe0 && c <= 0xffe6)
            || (c >= 0x20000 && c <= 0x3fffd) // further ideographs
            || Character.isEmojiPresentation(c));
  }
}
