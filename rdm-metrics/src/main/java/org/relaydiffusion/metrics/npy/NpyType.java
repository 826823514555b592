// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.npy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.relaydiffusion.torch.DType;

/**
 * The numeric types of .npy arrays, by their code in numpy's {@code descr} without the byte order.
 * Types without an equivalent dtype are read as the next wider one, which can represent all of
 * their values.
 */
enum NpyType {
  BOOL("b1", 1, DType.UINT8),
  INT8("i1", 1, DType.INT8),
  INT16("i2", 2, DType.INT16),
  INT32("i4", 4, DType.INT32),
  INT64("i8", 8, DType.INT64),
  UINT8("u1", 1, DType.UINT8),
  UINT16("u2", 2, DType.INT32),
  UINT32("u4", 4, DType.INT64),
  /** Values from 2^63 on become negative. */
  UINT64("u8", 8, DType.INT64),
  FLOAT16("f2", 2, DType.FLOAT32),
  FLOAT32("f4", 4, DType.FLOAT32),
  FLOAT64("f8", 8, DType.FLOAT64);

  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private final String code;
  private final int byteSize;
  private final DType dtype;

  NpyType(String code, int byteSize, DType dtype) {
    this.code = code;
    this.byteSize = byteSize;
    this.dtype = dtype;
  }

  /** Returns the number of bytes per element in the file. */
  int byteSize() {
    return byteSize;
  }

  /** Returns the usual name, such as {@code float16}. */
  String torchName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns the dtype as which it is read. */
  DType dtype() {
    return dtype;
  }

  /** Returns numpy's name for little-endian elements, such as {@code <f8}. */
  String descr() {
    return (byteSize == 1 ? "|" : "<") + code;
  }

  /** Returns the type with this name, regardless of its byte order. */
  static Optional<NpyType> of(String descr) {
    String code =
        descr.isEmpty() || "<>=|".indexOf(descr.charAt(0)) < 0 ? descr : descr.substring(1);
    return Arrays.stream(values()).filter(t -> t.code.equals(code)).findFirst();
  }

  /**
   * Returns the type in which a dtype is written.
   *
   * @throws IllegalArgumentException if numpy has no equivalent
   */
  static NpyType of(DType dtype) {
    return Arrays.stream(values())
        .filter(t -> t != BOOL && t.dtype == dtype && t.byteSize == dtype.byteSize() && t != UINT64)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(dtype + " is not a type of .npy files"));
  }

  /**
   * Converts all elements of {@code from}, in its byte order, to {@code to} at byte {@code at}, as
   * {@link #dtype()}.
   */
  void decode(ByteBuffer from, MemorySegment to, long at) {
    for (long target = at; from.hasRemaining(); target += dtype.byteSize()) {
      switch (this) {
        case BOOL, INT8, UINT8 -> to.set(ValueLayout.JAVA_BYTE, target, from.get());
        case INT16 -> to.set(SHORT, target, from.getShort());
        case UINT16 -> to.set(INT, target, Short.toUnsignedInt(from.getShort()));
        case FLOAT16 -> to.set(FLOAT, target, Float.float16ToFloat(from.getShort()));
        case INT32, FLOAT32 -> to.set(INT, target, from.getInt());
        case UINT32 -> to.set(LONG, target, Integer.toUnsignedLong(from.getInt()));
        case INT64, UINT64, FLOAT64 -> to.set(LONG, target, from.getLong());
      }
    }
  }
}
