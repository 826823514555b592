package org.relaydiffusion.torch;

import java.lang.foreign.ValueLayout;

/** Elements out of a tensor into Java arrays. */
final class Transfer {
  private Transfer() {}

  static double[] toDoubles(Tensor tensor) {
    try (Tensor t = onCpu(tensor, DType.FLOAT64)) {
      return t.borrowedMemory().toArray(ValueLayout.JAVA_DOUBLE);
    }
  }

  static float[] toFloats(Tensor tensor) {
    try (Tensor t = onCpu(tensor, DType.FLOAT32)) {
      return t.borrowedMemory().toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  static long[] toLongs(Tensor tensor) {
    try (Tensor t = onCpu(tensor, DType.INT64)) {
      return t.borrowedMemory().toArray(ValueLayout.JAVA_LONG);
    }
  }

  static byte[] toBytes(Tensor tensor) {
    if (tensor.dtype() != DType.UINT8) {
      throw new TorchException(
          "bytes are the elements of a uint8 tensor, not of " + tensor.describe());
    }
    try (Tensor t = onCpu(tensor, DType.UINT8)) {
      return t.borrowedMemory().toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** A dense CPU copy, or a further handle where it is one already. */
  static Tensor onCpu(Tensor tensor, DType dtype) {
    try (Tensor here = tensor.to(Device.CPU);
        Tensor typed = here.to(dtype)) {
      return typed.contiguous();
    }
  }
}
