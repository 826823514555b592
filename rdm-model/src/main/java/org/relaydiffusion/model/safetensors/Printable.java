package org.relaydiffusion.model.safetensors;

/** Text that came out of a file, made fit for a message of one line. */
public final class Printable {
  private static final int LONGEST = 120;

  private Printable() {}

  /**
   * The text with every control and format character, and every lone surrogate, written as an
   * escape, cut after 120 characters. A file must not be able to forge lines of a log or to move a
   * terminal's cursor.
   */
  public static String of(String text) {
    StringBuilder out = new StringBuilder();
    int i = 0;
    while (i < text.length()) {
      if (out.length() >= LONGEST) {
        return out.append("...").toString();
      }
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      switch (Character.getType(c)) {
        case Character.CONTROL,
            Character.FORMAT,
            Character.SURROGATE,
            Character.PRIVATE_USE,
            Character.UNASSIGNED,
            Character.LINE_SEPARATOR,
            Character.PARAGRAPH_SEPARATOR ->
            out.append("\\u%04x".formatted(c));
        default -> out.appendCodePoint(c);
      }
    }
    return out.toString();
  }
}
