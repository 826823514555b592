// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.ValueLayout;

/** Elements out of a tensor into Java arrays. */
final class Transfer {
  /** What the virtual machine makes; some can do with a few less than the language allows. */
  private static final long LONGEST = Integer.MAX_VALUE - 8;

  private Transfer() {}

  static double[] toDoubles(Tensor tensor) {
    requireArray(tensor);
    try (Tensor t = onCpu(tensor, DType.FLOAT64)) {
      return t.borrowedMemory().toArray(ValueLayout.JAVA_DOUBLE);
    }
  }

  static float[] toFloats(Tensor tensor) {
    requireArray(tensor);
    try (Tensor t = onCpu(tensor, DType.FLOAT32)) {
      return t.borrowedMemory().toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  static long[] toLongs(Tensor tensor) {
    requireArray(tensor);
    try (Tensor t = onCpu(tensor, DType.INT64)) {
      return t.borrowedMemory().toArray(ValueLayout.JAVA_LONG);
    }
  }

  static byte[] toBytes(Tensor tensor) {
    if (tensor.dtype() != DType.UINT8) {
      throw new TorchException(
          "bytes are the elements of a uint8 tensor, not of " + tensor.describe());
    }
    requireArray(tensor);
    try (Tensor t = onCpu(tensor, DType.UINT8)) {
      return t.borrowedMemory().toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** Refuses more elements than an array of Java's can have, before any of them is copied. */
  static void requireArray(Tensor tensor) {
    long elements = tensor.numel();
    if (elements > LONGEST) {
      throw new TorchException(
          "%s has %s elements, and an array of Java's at most %s: take it part by part"
              .formatted(tensor.describe(), elements, LONGEST));
    }
  }

  /** A dense CPU copy, or an alias where it is one already. */
  static Tensor onCpu(Tensor tensor, DType dtype) {
    try (Tensor here = tensor.to(Device.CPU);
        Tensor typed = here.to(dtype)) {
      return typed.contiguous();
    }
  }
}
