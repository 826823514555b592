// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.regex.Pattern;
import org.relaydiffusion.Printable;

/** Reads numbers in pickles: text in protocol 0, otherwise bytes. */
final class Numbers {
  private static final int MOST_DIGITS = 1000;
  private static final int MOST_BYTES = 512;
  private static final Pattern INTEGER = Pattern.compile("[-+]?[0-9]{1," + MOST_DIGITS + "}");
  private static final Pattern FLOAT =
      Pattern.compile(
          "[-+]?([0-9]{1,400}(\\.[0-9]{0,400})?|\\.[0-9]{1,400})([eE][-+]?[0-9]{1,9})?");

  private Numbers() {}

  /** The opcode INT, for which 00 and 01 are booleans. */
  static Object ofInt(String text) {
    return switch (text) {
      case "00" -> false;
      case "01" -> true;
      default -> integer(text);
    };
  }

  /** The opcode LONG, which ends with an L. */
  static Object ofLong(String text) {
    return integer(text.endsWith("L") ? text.substring(0, text.length() - 1) : text);
  }

  static Object ofFloat(String text) {
    return switch (text) {
      case "inf" -> Double.POSITIVE_INFINITY;
      case "-inf" -> Double.NEGATIVE_INFINITY;
      case "nan" -> Double.NaN;
      default -> {
        if (!FLOAT.matcher(text).matches()) {
          throw notANumber(text);
        }
        yield Double.valueOf(text);
      }
    };
  }

  /** Little-endian two's complement; an empty sequence is 0. */
  static Object ofBytes(PickleInput in, long length) {
    if (length > MOST_BYTES) {
      throw new BadPickleException("has a number of %s bytes".formatted(length));
    }
    MemorySegment taken = in.take(length);
    byte[] bytes = taken.toArray(ValueLayout.JAVA_BYTE);
    if (bytes.length == 0) {
      return 0L;
    }
    for (int i = 0, j = bytes.length - 1; i < j; i++, j--) {
      byte swapped = bytes[i];
      bytes[i] = bytes[j];
      bytes[j] = swapped;
    }
    return narrow(new BigInteger(bytes));
  }

  private static Object integer(String text) {
    if (!INTEGER.matcher(text).matches()) {
      throw notANumber(text);
    }
    return narrow(new BigInteger(text));
  }

  private static Object narrow(BigInteger n) {
    return n.bitLength() < Long.SIZE ? (Object) n.longValue() : n;
  }

  private static BadPickleException notANumber(String text) {
    return new BadPickleException("has '%s' instead of a number".formatted(Printable.of(text)));
  }
}
