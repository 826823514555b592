package org.relaydiffusion.checkpoint.archive;

import java.util.Map;
import org.relaydiffusion.torch.DType;

/**
 * One of torch's storage classes.
 *
 * @param name the class's name, e.g. {@code FloatStorage}
 * @param dtype the type of its elements; bytes for an untyped storage
 */
record StorageType(String name, DType dtype) {
  /** The classes in the module {@code torch}, by name. Quantised and complex ones are left out. */
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

  /** The name of the class of storages of {@code dtype}. */
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
