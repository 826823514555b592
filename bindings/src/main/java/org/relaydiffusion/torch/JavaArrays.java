// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Array;
import java.util.Arrays;

/**
 * Java's arrays into tensors, and matrices out of them; {@link Transfer} has the plain ways out.
 */
final class JavaArrays {
  private JavaArrays() {}

  static Tensor tensor(float[] values, long... sizes) {
    TorchException.requireNonNull(values, "values");
    return copy(DType.FLOAT32, values, values.length, ValueLayout.JAVA_FLOAT, sizes);
  }

  static Tensor tensor(double[] values, long... sizes) {
    TorchException.requireNonNull(values, "values");
    return copy(DType.FLOAT64, values, values.length, ValueLayout.JAVA_DOUBLE, sizes);
  }

  static Tensor tensor(long[] values, long... sizes) {
    TorchException.requireNonNull(values, "values");
    return copy(DType.INT64, values, values.length, ValueLayout.JAVA_LONG, sizes);
  }

  static Tensor tensor(int[] values, long... sizes) {
    TorchException.requireNonNull(values, "values");
    return copy(DType.INT32, values, values.length, ValueLayout.JAVA_INT, sizes);
  }

  static Tensor tensor(byte[] values, long... sizes) {
    TorchException.requireNonNull(values, "values");
    return copy(DType.UINT8, values, values.length, ValueLayout.JAVA_BYTE, sizes);
  }

  static Tensor tensor(boolean[] values, long... sizes) {
    TorchException.requireNonNull(values, "values");
    Tensor t = sized(DType.BOOL, values.length, sizes);
    MemorySegment memory = t.borrowedMemory();
    for (int i = 0; i < values.length; i++) {
      memory.set(ValueLayout.JAVA_BOOLEAN, i, values[i]);
    }
    return t;
  }

  static Tensor tensor(float[][] rows) {
    return matrix(DType.FLOAT32, rows, ValueLayout.JAVA_FLOAT);
  }

  static Tensor tensor(double[][] rows) {
    return matrix(DType.FLOAT64, rows, ValueLayout.JAVA_DOUBLE);
  }

  /** A copy of an array of the layout's type. */
  private static Tensor copy(
      DType dtype, Object values, int length, ValueLayout layout, long... sizes) {
    Tensor t = sized(dtype, length, sizes);
    MemorySegment.copy(values, 0, t.borrowedMemory(), layout, 0, length);
    return t;
  }

  /** A copy of arrays of the layout's type, a row each. */
  private static Tensor matrix(DType dtype, Object[] rows, ValueLayout layout) {
    TorchException.requireNonNull(rows, "rows");
    int columns =
        columns(
            Arrays.stream(rows)
                .mapToInt(row -> Array.getLength(TorchException.requireNonNull(row, "a row")))
                .toArray());
    Tensor t = Torch.empty(dtype, Device.CPU, rows.length, columns);
    MemorySegment memory = t.borrowedMemory();
    for (int i = 0; i < rows.length; i++) {
      MemorySegment.copy(rows[i], 0, memory, layout, i * layout.byteSize() * columns, columns);
    }
    return t;
  }

  static boolean[] toBooleans(Tensor tensor) {
    Transfer.requireArray(tensor);
    byte[] bytes;
    try (Tensor t = Transfer.onCpu(tensor, DType.BOOL)) {
      bytes = t.borrowedMemory().toArray(ValueLayout.JAVA_BYTE);
    }
    boolean[] truths = new boolean[bytes.length];
    for (int i = 0; i < truths.length; i++) {
      truths[i] = bytes[i] != 0;
    }
    return truths;
  }

  static int[] toInts(Tensor tensor) {
    Transfer.requireArray(tensor);
    try (Tensor t = Transfer.onCpu(tensor, DType.INT32)) {
      return t.borrowedMemory().toArray(ValueLayout.JAVA_INT);
    }
  }

  static float[][] toFloatMatrix(Tensor tensor) {
    int columns = columnsOf(tensor);
    float[] all = tensor.toFloats();
    float[][] rows = new float[Math.toIntExact(tensor.size(0))][];
    Arrays.setAll(rows, i -> Arrays.copyOfRange(all, i * columns, (i + 1) * columns));
    return rows;
  }

  static double[][] toDoubleMatrix(Tensor tensor) {
    int columns = columnsOf(tensor);
    double[] all = tensor.toDoubles();
    double[][] rows = new double[Math.toIntExact(tensor.size(0))][];
    Arrays.setAll(rows, i -> Arrays.copyOfRange(all, i * columns, (i + 1) * columns));
    return rows;
  }

  private static int columnsOf(Tensor tensor) {
    if (tensor.rank() != 2) {
      throw new TorchException("a matrix has two axes, but this is " + tensor.describe());
    }
    return Math.toIntExact(tensor.size(1));
  }

  private static int columns(int[] lengths) {
    int columns = lengths.length == 0 ? 0 : lengths[0];
    for (int i = 1; i < lengths.length; i++) {
      if (lengths[i] != columns) {
        throw new TorchException(
            "the rows of a matrix are equally long, but row %s has %s elements and row 0 has %s"
                .formatted(i, lengths[i], columns));
      }
    }
    return columns;
  }

  private static Tensor sized(DType dtype, int length, long... sizes) {
    TorchException.requireNonNull(sizes, "sizes");
    Sizes.check(sizes);
    if (Sizes.numel(sizes) != length) {
      throw new TorchException(
          "%s values do not fill sizes %s".formatted(length, Arrays.toString(sizes)));
    }
    return Torch.empty(dtype, Device.CPU, sizes);
  }
}
