// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The element types that this project uses, with LibTorch's code and safetensors' name of each. */
public enum DType {
  /** Unsigned 8-bit integer: pixels. */
  UINT8(0, 1, "U8"),
  /** Signed 8-bit integer. */
  INT8(1, 1, "I8"),
  /** Signed 16-bit integer. */
  INT16(2, 2, "I16"),
  /** Signed 32-bit integer. */
  INT32(3, 4, "I32"),
  /** Signed 64-bit integer: indices, labels. */
  INT64(4, 8, "I64"),
  /** IEEE half precision: the official checkpoints' {@code use_fp16}. */
  FLOAT16(5, 2, "F16"),
  /** IEEE single precision: networks. */
  FLOAT32(6, 4, "F32"),
  /** IEEE double precision: the samplers' state. */
  FLOAT64(7, 8, "F64"),
  /** Truth values, one byte each. */
  BOOL(11, 1, "BOOL"),
  /** The upper half of a single-precision number: {@code --dtype bfloat16}. */
  BFLOAT16(15, 2, "BF16");

  private static final DType[] BY_CODE = new DType[16];

  static {
    for (DType t : values()) {
      BY_CODE[t.code] = t;
    }
  }

  private final int code;
  private final int byteSize;
  private final String safetensorsName;

  DType(int code, int byteSize, String safetensorsName) {
    this.code = code;
    this.byteSize = byteSize;
    this.safetensorsName = safetensorsName;
  }

  /** LibTorch's number for this type ({@code c10::ScalarType}). */
  public int code() {
    return code;
  }

  /** Bytes an element. */
  public int byteSize() {
    return byteSize;
  }

  /** The name in a safetensors header, e.g. {@code F32}. */
  public String safetensorsName() {
    return safetensorsName;
  }

  /** PyTorch's name, e.g. {@code float32}. */
  public String torchName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether this is one of the four floating-point types. */
  public boolean isFloatingPoint() {
    return this == FLOAT16 || this == FLOAT32 || this == FLOAT64 || this == BFLOAT16;
  }

  /** The type with LibTorch's number {@code code}, if it is one of these. */
  public static Optional<DType> ofCode(int code) {
    return code >= 0 && code < BY_CODE.length
        ? Optional.ofNullable(BY_CODE[code])
        : Optional.empty();
  }

  /** The type with PyTorch's name, e.g. {@code bfloat16}. */
  public static Optional<DType> ofTorchName(String name) {
    TorchException.requireNonNull(name, "name");
    return Arrays.stream(values()).filter(t -> t.torchName().equals(name)).findFirst();
  }

  /** The type with safetensors' name, e.g. {@code BF16}. */
  public static Optional<DType> ofSafetensorsName(String name) {
    TorchException.requireNonNull(name, "name");
    return Arrays.stream(values()).filter(t -> t.safetensorsName.equals(name)).findFirst();
  }
}
