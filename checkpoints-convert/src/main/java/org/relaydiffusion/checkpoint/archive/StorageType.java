// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.util.Map;
import org.relaydiffusion.torch.DType;

/**
 * A storage class of PyTorch.
 *
 * @param name of the class, such as {@code FloatStorage}
 * @param dtype of its elements; bytes for an untyped storage
 */
record StorageType(String name, DType dtype) {
  /** The classes in the module {@code torch}, by name, except for quantized and complex ones. */
  static final Map<String, DType> CLASSES =
      Map.ofEntries(
          Map.entry("FloatStorage", DType.FLOAT32),
          Map.entry("DoubleStorage", DType.FLOAT64),
          Map.entry("HalfStorage", DType.FLOAT16),
          Map.entry("BFloat16Storage", DType.BFLOAT16),
          Map.entry("LongStorage", DType.INT64),
          Map.entry("IntStorage", DType.INT32),
          Map.entry("ShortStorage", DType.INT16),
          Map.entry("CharStorage", DType.INT8),
          Map.entry("ByteStorage", DType.UINT8),
          Map.entry("BoolStorage", DType.BOOL),
          Map.entry("UntypedStorage", DType.UINT8));

  /** Returns the name of the storage class of {@code dtype}. */
  static String className(DType dtype) {
    return switch (dtype) {
      case FLOAT32 -> "FloatStorage";
      case FLOAT64 -> "DoubleStorage";
      case FLOAT16 -> "HalfStorage";
      case BFLOAT16 -> "BFloat16Storage";
      case INT64 -> "LongStorage";
      case INT32 -> "IntStorage";
      case INT16 -> "ShortStorage";
      case INT8 -> "CharStorage";
      case UINT8 -> "ByteStorage";
      case BOOL -> "BoolStorage";
    };
  }
}
