// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import org.relaydiffusion.Printable;

/** numpy's dtype, as far as required for numpy scalars (settings computed with numpy). */
final class NumpyType implements Buildable {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

  private final String code;
  private boolean bigEndian;

  private NumpyType(String code) {
    this.code = code;
  }

  /** Handles {@code numpy.dtype('f8', False, True)}. */
  static Object of(List<Object> args) {
    if (args.isEmpty() || !(args.getFirst() instanceof String code)) {
      throw new BadPickleException("constructs a numpy dtype from something other than a string");
    }
    return new NumpyType(code);
  }

  /** Returns numpy's name of the type without its byte order, such as {@code u1}. */
  String code() {
    return code;
  }

  /** Sets the state {@code (3, '<', None, ...)}: a version, then the byte order. */
  @Override
  public void build(Object state) {
    if (!(state instanceof Tuple tuple) || tuple.size() < 2) {
      throw new BadPickleException("has a numpy dtype with the state " + Values.show(state));
    }
    bigEndian = ">".equals(tuple.get(1));
  }

  /** Converts {@code scalar(dtype, bytes)} to a Java number. */
  static Object scalar(List<Object> args) {
    if (args.size() != 2
        || !(args.get(0) instanceof NumpyType type)
        || !(args.get(1) instanceof ByteRange bytes)) {
      throw new BadPickleException(
          "constructs a numpy scalar from something other than a dtype and bytes");
    }
    return type.number(bytes.memory());
  }

  private Object number(MemorySegment bytes) {
    if (bigEndian || code.length() != 2 || bytes.byteSize() != code.charAt(1) - '0') {
      throw unknown(bytes);
    }
    return switch (code) {
      case "b1" -> bytes.get(ValueLayout.JAVA_BYTE, 0) != 0;
      case "i1" -> (long) bytes.get(ValueLayout.JAVA_BYTE, 0);
      case "u1" -> bytes.get(ValueLayout.JAVA_BYTE, 0) & 0xffL;
      case "i2" -> (long) bytes.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE), 0);
      case "u2" -> bytes.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE), 0) & 0xffffL;
      case "i4" -> (long) bytes.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE), 0);
      case "u4" -> bytes.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE), 0) & 0xffff_ffffL;
      case "i8" -> bytes.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE), 0);
      case "f2" ->
          (double)
              Float.float16ToFloat(
                  bytes.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE), 0));
      case "f4" -> (double) bytes.get(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE), 0);
      case "f8" -> bytes.get(ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(LITTLE), 0);
      default -> throw unknown(bytes);
    };
  }

  private BadPickleException unknown(MemorySegment bytes) {
    return new BadPickleException(
        "has an unsupported numpy scalar of dtype %s%s in %s bytes"
            .formatted(bigEndian ? ">" : "", Printable.of(code), bytes.byteSize()));
  }
}
