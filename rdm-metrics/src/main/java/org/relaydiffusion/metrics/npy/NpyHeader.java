package org.relaydiffusion.metrics.npy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.torch.DType;

/**
 * What an .npy file (format versions 1 to 3) says of its array. Only little-endian, row-major
 * arrays of plain numbers are taken; the header is matched against its grammar, never evaluated.
 *
 * @param dtype the element type
 * @param shape the sizes, outermost first; their product fits a long
 * @param byteSize the header's own length in the file, in bytes
 */
@SuppressWarnings("ArrayRecordComponent") // Copied on the way out, and never compared.
record NpyHeader(DType dtype, long[] shape, long byteSize) {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int LONGEST = 10_000; // NumPy's own limit.
  private static final int ALIGNMENT = 64;
  private static final Map<String, DType> TYPES =
      Map.of("<f4", DType.FLOAT32, "<f8", DType.FLOAT64, "|u1", DType.UINT8, "<i8", DType.INT64);
  private static final Pattern ITEM =
      Pattern.compile(
          "\\s*'(\\w+)'\\s*:\\s*('[^'\\\\]*'|True|False|\\([0-9, ]*\\))\\s*(,|(?=\\}))");
  private static final Pattern SHAPE = Pattern.compile("\\(((\\d{1,18}, )*+\\d{1,18},?)?\\)");

  @Override
  public long[] shape() {
    return shape.clone();
  }

  /**
   * The header that numpy writes: version 1.0, filled up with spaces to a multiple of 64 bytes.
   *
   * @throws IllegalArgumentException for a type that has no name here
   */
  static byte[] bytes(DType dtype, long... shape) {
    String descr =
        TYPES.entrySet().stream()
            .filter(e -> e.getValue() == dtype)
            .map(Map.Entry::getKey)
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException(dtype + " is no type of .npy files"));
    String sizes = LongStream.of(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
    String text =
        "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }"
            .formatted(descr, shape.length == 1 ? sizes + "," : sizes);
    // numpy leaves room for the first size to grow to 21 digits in place.
    int room = shape.length > 0 ? 21 - Long.toString(shape[0]).length() : 0;
    int fixed = MAGIC.length + 2 + Short.BYTES;
    int unpadded = fixed + text.length() + room + 1;
    // Where nothing is lacking numpy adds 64 bytes all the same.
    int size = unpadded + ALIGNMENT - unpadded % ALIGNMENT;
    ByteBuffer header = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    header.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) (size - fixed));
    header.put(text.getBytes(StandardCharsets.ISO_8859_1));
    while (header.remaining() > 1) {
      header.put((byte) ' ');
    }
    return header.put((byte) '\n').array();
  }

  /** How many bytes the elements of an array take; they must fit a long. */
  static long dataBytes(DType dtype, long... shape) {
    long bytes = dtype.byteSize();
    for (long s : shape) {
      bytes = Math.multiplyExact(bytes, s);
    }
    return bytes;
  }

  /**
   * Reads the header at a stream's current position; afterwards the stream is at the first element.
   *
   * @param path the file, for messages
   * @param what the array, for messages
   */
  static NpyHeader read(InputStream in, Path path, String what) throws IOException {
    byte[] start = in.readNBytes(8);
    for (int i = 0; i < MAGIC.length; i++) {
      if (start.length < 8 || start[i] != MAGIC[i]) {
        throw new FileException(path, "%s is not an .npy array".formatted(what));
      }
    }
    if (start[6] < 1 || start[6] > 3 || start[7] != 0) {
      throw new FileException(
          path,
          "%s is of .npy version %s.%s, but 1.0 to 3.0 are known"
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
          "%s claims an .npy header of %s bytes, where %s are the most"
              .formatted(what, length, LONGEST));
    }
    byte[] text = in.readNBytes((int) length);
    if (text.length < length || size.length < 2 || length == 0) {
      throw new FileException(path, "%s is cut off within its .npy header".formatted(what));
    }
    String dict = new String(text, StandardCharsets.ISO_8859_1);
    return parse(dict, 8L + size.length + length, path, what);
  }

  private static NpyHeader parse(String dict, long byteSize, Path path, String what) {
    Map<String, String> items = items(dict);
    String descr = items == null ? null : items.get("descr");
    String order = items == null ? null : items.get("fortran_order");
    String sizes = items == null ? null : items.get("shape");
    if (descr == null || order == null || sizes == null || !descr.startsWith("'")) {
      throw new FileException(
          path,
          "%s is not a plain array: its .npy header is %s"
              .formatted(what, Printable.of(dict.strip())));
    }
    DType dtype = TYPES.get(descr.substring(1, descr.length() - 1));
    if (dtype == null) {
      throw new FileException(
          path,
          "%s has elements of type %s, where '<f4', '<f8', '|u1' and '<i8' are known"
              .formatted(what, Printable.of(descr.strip())));
    }
    if (!order.equals("False")) {
      throw new FileException(
          path,
          "%s is in Fortran (column-major) order: save np.ascontiguousarray of it".formatted(what));
    }
    return new NpyHeader(dtype, shape(sizes, dtype, path, what), byteSize);
  }

  /** The three items of the dict, or null when it is anything else. */
  private static @Nullable Map<String, String> items(String dict) {
    String text = dict.strip();
    if (!text.startsWith("{") || !text.endsWith("}")) {
      return null;
    }
    Map<String, String> items = new HashMap<>();
    Matcher item = ITEM.matcher(text);
    int at = 1;
    while (item.find(at) && item.start() == at) {
      if (items.put(item.group(1), item.group(2)) != null) {
        return null;
      }
      at = item.end();
    }
    boolean whole = text.substring(at, text.length() - 1).isBlank();
    return whole && items.size() == 3 ? items : null;
  }

  private static long[] shape(String sizes, DType dtype, Path path, String what) {
    if (!SHAPE.matcher(sizes).matches()) {
      throw new FileException(
          path, "%s has the shape %s".formatted(what, Printable.of(sizes.strip())));
    }
    long[] shape =
        Pattern.compile("\\d+")
            .matcher(sizes)
            .results()
            .mapToLong(r -> Long.parseLong(r.group()))
            .toArray();
    try {
      long bytes = dtype.byteSize();
      for (long s : shape) {
        bytes = Math.multiplyExact(bytes, Math.max(1, s));
      }
    } catch (ArithmeticException e) {
      throw new FileException(
          path, "%s claims the shape %s, larger than any file".formatted(what, sizes), e);
    }
    return shape;
  }
}
