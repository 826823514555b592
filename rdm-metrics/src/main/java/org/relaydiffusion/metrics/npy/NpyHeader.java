// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.npy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.torch.DType;

/**
 * The header of an .npy file (format versions 1 to 3). It is parsed with the freedom of numpy's own
 * reader: either kind of quotes, any white space, {@code 32L} for 32. It is never evaluated.
 *
 * @param descr numpy's name of the dtype, such as {@code >f8}
 * @param order of the elements in the file
 * @param shape the sizes, outermost first; empty for a scalar; their product fits in a long
 * @param byteSize the length of the header itself in bytes
 */
record NpyHeader(String descr, Order order, long[] shape, long byteSize) {
  /** The axis that varies fastest. */
  enum Order {
    /** The last axis (C order). */
    ROW_MAJOR,
    /** The first axis (Fortran order). */
    COLUMN_MAJOR
  }

  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int LONGEST = 10_000; // NumPy's own limit.
  private static final int ALIGNMENT = 64;
  private static final int MOST_AXES = 64; // NumPy's own limit, too.
  private static final String TEXT = "[uU]?('[^'\\\\]*+'|\"[^\"\\\\]*+\")";
  private static final Pattern ITEM =
      Pattern.compile(
          "\\s*+"
              + TEXT
              + "\\s*+:\\s*+("
              + TEXT
              + "|True|False|\\([0-9lL,\\s]*+\\))\\s*+(?:,|(?=\\}))");
  private static final Pattern SIZE = Pattern.compile("(\\d{1,18})[lL]?");

  /** Returns whether elements of more than one byte are big-endian. */
  boolean isBigEndian() {
    return descr.startsWith(">");
  }

  /** Returns whether bytes are the beginning of an .npy file; 8 bytes are sufficient. */
  static boolean isMagic(byte[] start) {
    return start.length >= 8 && Arrays.equals(start, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }

  /**
   * Returns the header as written by numpy: version 1.0, padded with spaces to a multiple of 64
   * bytes.
   *
   * @throws IllegalArgumentException for a dtype without a name here
   */
  static byte[] bytes(DType dtype, long... shape) {
    String descr = NpyType.of(dtype).descr();
    String sizes = LongStream.of(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
    String text =
        "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }"
            .formatted(descr, shape.length == 1 ? sizes + "," : sizes);
    // numpy reserves space for the first size to grow to 21 digits in place.
    int room = shape.length > 0 ? 21 - Long.toString(shape[0]).length() : 0;
    int fixed = MAGIC.length + 2 + Short.BYTES;
    int unpadded = fixed + text.length() + room + 1;
    // If no padding is needed, numpy adds 64 bytes nevertheless.
    int size = unpadded + ALIGNMENT - unpadded % ALIGNMENT;
    ByteBuffer header = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    header.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) (size - fixed));
    header.put(text.getBytes(StandardCharsets.ISO_8859_1));
    while (header.remaining() > 1) {
      header.put((byte) ' ');
    }
    return header.put((byte) '\n').array();
  }

  /** Returns the size of an array's elements in bytes; must fit in a long. */
  static long dataBytes(DType dtype, long... shape) {
    long bytes = dtype.byteSize();
    for (long s : shape) {
      bytes = Math.multiplyExact(bytes, s);
    }
    return bytes;
  }

  /**
   * Reads the header at the current position of a stream, which is then at the first element.
   *
   * @param path the file, for messages
   * @param what the array, for messages
   */
  static NpyHeader read(InputStream in, Path path, String what) throws IOException {
    byte[] start = in.readNBytes(8);
    if (!isMagic(start)) {
      throw new FileException(path, "%s is not an .npy array".formatted(what));
    }
    if (start[6] < 1 || start[6] > 3 || start[7] != 0) {
      throw new FileException(
          path,
          "%s has .npy version %s.%s, but only 1.0 to 3.0 are supported"
              .formatted(what, start[6] & 0xff, start[7] & 0xff));
    }
    byte[] size = in.readNBytes(start[6] == 1 ? 2 : 4);
    long length = 0;
    for (int i = size.length - 1; i >= 0; i--) {
      length = length << 8 | (size[i] & 0xff);
    }
    if (length > LONGEST) {
      throw new FileException(
          path,
          "%s declares an .npy header of %s bytes, but the maximum is %s"
              .formatted(what, length, LONGEST));
    }
    byte[] text = in.readNBytes((int) length);
    if (text.length < length || size.length < 2 || length == 0) {
      throw new FileException(path, "%s is truncated within its .npy header".formatted(what));
    }
    String dict = new String(text, StandardCharsets.ISO_8859_1);
    return parse(dict, 8L + size.length + length, path, what);
  }

  private static NpyHeader parse(String dict, long byteSize, Path path, String what) {
    Map<String, String> items = items(dict);
    String descr = items.get("descr");
    String order = items.get("fortran_order");
    String sizes = items.get("shape");
    if (items.size() == 3
        && descr != null
        && isText(descr)
        && order != null
        && (order.equals("True") || order.equals("False"))
        && sizes != null
        && sizes.startsWith("(")) {
      return new NpyHeader(
          unquoted(descr),
          order.equals("True") ? Order.COLUMN_MAJOR : Order.ROW_MAJOR,
          shape(sizes, path, what),
          byteSize);
    }
    throw new FileException(
        path,
        "%s is not a plain array: its .npy header is %s"
            .formatted(what, Printable.of(dict.strip())));
  }

  /** Returns the items of the dict; none if it is anything else. */
  private static Map<String, String> items(String dict) {
    String text = dict.strip();
    if (!text.startsWith("{") || !text.endsWith("}")) {
      return Map.of();
    }
    Map<String, String> items = new HashMap<>();
    Matcher item = ITEM.matcher(text);
    int at = 1;
    while (item.find(at) && item.start() == at) {
      if (items.put(unquoted(item.group(1)), item.group(2)) != null) {
        return Map.of();
      }
      at = item.end();
    }
    return text.substring(at, text.length() - 1).isBlank() ? items : Map.of();
  }

  private static boolean isText(String value) {
    return value.endsWith("'") || value.endsWith("\"");
  }

  private static String unquoted(String text) {
    int first = Character.toLowerCase(text.charAt(0)) == 'u' ? 2 : 1;
    return text.substring(first, text.length() - 1);
  }

  private static long[] shape(String tuple, Path path, String what) {
    String[] parts = tuple.substring(1, tuple.length() - 1).split(",", -1);
    // (4) is a number in parentheses, and only (4,) a tuple; a trailing comma is allowed.
    int axes = parts[parts.length - 1].isBlank() ? parts.length - 1 : parts.length;
    if (axes > MOST_AXES) {
      throw new FileException(
          path, "%s has %s axes, but the maximum is %s".formatted(what, axes, MOST_AXES));
    }
    long[] shape = new long[axes];
    boolean sizes = axes != 1 || parts.length == 2;
    for (int i = 0; sizes && i < axes; i++) {
      Matcher size = SIZE.matcher(parts[i].strip());
      sizes = size.matches();
      shape[i] = sizes ? Long.parseLong(size.group(1)) : 0;
    }
    if (!sizes) {
      throw new FileException(
          path, "%s has the invalid shape %s".formatted(what, Printable.of(tuple.strip())));
    }
    try {
      long bytes = Long.BYTES;
      for (long s : shape) {
        bytes = Math.multiplyExact(bytes, Math.max(1, s));
      }
    } catch (ArithmeticException e) {
      throw new FileException(
          path,
          "%s declares the shape %s, which is too large for a file".formatted(what, tuple),
          e);
    }
    return shape;
  }
}
