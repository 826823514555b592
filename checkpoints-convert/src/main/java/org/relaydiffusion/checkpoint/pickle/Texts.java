// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.relaydiffusion.Printable;

/** Reads strings in pickles. */
final class Texts {
  /** A longer string is not decoded. */
  private static final long LONGEST = 1 << 16;

  private Texts() {}

  /** Reads UTF-8 of a known length. */
  static Object utf8(PickleInput in, long length, PickleBudget budget) {
    MemorySegment bytes = in.take(length);
    if (length > LONGEST) {
      return new LongText(bytes);
    }
    budget.text(length);
    return PickleInput.utf8(bytes);
  }

  /** Reads a Python 2 string, which must be ASCII. */
  static String ascii(PickleInput in, long length, PickleBudget budget) {
    if (length > LONGEST) {
      throw new BadPickleException("has a Python 2 string of %s bytes".formatted(length));
    }
    budget.text(length);
    String text = PickleInput.utf8(in.take(length));
    if (text.length() != length) {
      throw new BadPickleException("has a Python 2 string that is not ASCII");
    }
    return text;
  }

  /** Reads a Python 2 string, which may be text or bytes: short ASCII strings are text. */
  static Object asciiOrBytes(PickleInput in, long length, PickleBudget budget) {
    MemorySegment bytes = in.take(length);
    for (long i = 0; i < length; i++) {
      if (length > LONGEST || bytes.get(ValueLayout.JAVA_BYTE, i) < 0) {
        return new ByteRange(bytes);
      }
    }
    budget.text(length);
    return PickleInput.utf8(bytes);
  }

  /** The opcode STRING: a quoted Python 2 literal. */
  static String quoted(PickleInput in, PickleBudget budget) {
    String line = in.line();
    budget.text(line.length());
    int last = line.length() - 1;
    boolean quotes =
        last > 0
            && line.charAt(0) == line.charAt(last)
            && (line.charAt(0) == '\'' || line.charAt(0) == '"');
    if (!quotes) {
      throw new BadPickleException(
          "has the string %s without quotes".formatted(Printable.of(line)));
    }
    String inside = line.substring(1, last);
    if (inside.indexOf('\\') >= 0) {
      throw new BadPickleException("has a Python 2 string with escapes");
    }
    return inside;
  }

  /** The opcode UNICODE: Latin-1 with the escapes {@code \\uXXXX} and {@code \\UXXXXXXXX}. */
  static String rawUnicodeEscape(PickleInput in, PickleBudget budget) {
    String line = in.latin1Line();
    budget.text(line.length());
    StringBuilder out = new StringBuilder();
    int i = 0;
    while (i < line.length()) {
      int digits = 0;
      if (line.startsWith("\\u", i)) {
        digits = 4;
      } else if (line.startsWith("\\U", i)) {
        digits = 8;
      }
      if (digits == 0) {
        out.append(line.charAt(i++));
      } else {
        out.appendCodePoint(codePoint(line, i + 2, digits));
        i += 2 + digits;
      }
    }
    return out.toString();
  }

  private static int codePoint(String line, int from, int digits) {
    int c = 0;
    for (int i = from; i < from + digits; i++) {
      int digit = i < line.length() ? Character.digit(line.charAt(i), 16) : -1;
      // There cannot be a ninth hexadecimal digit; the check prevents an overflow.
      if (digit < 0 || c > Character.MAX_CODE_POINT) {
        throw new BadPickleException("has an invalid escape in a string");
      }
      c = c * 16 + digit;
    }
    if (!Character.isValidCodePoint(c)
        || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
      throw new BadPickleException("has an escape in a string that is not a character");
    }
    return c;
  }
}
