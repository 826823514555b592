// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.relaydiffusion.RdmException;

/**
 * A tensor that lies in memory that Java knows (a mapped file, mostly), described but not copied.
 * {@link Torch#fromData} gives LibTorch's view of it.
 *
 * @param dtype the element type
 * @param shape the sizes, outermost first; empty for a scalar
 * @param strides the distance of neighbours along each axis, in elements, never negative
 * @param memory the storage from the tensor's first element on, little-endian
 */
public record TensorData(DType dtype, long[] shape, long[] strides, MemorySegment memory) {
  /** Checks that every element lies inside {@code memory}; nothing here can overflow. */
  public TensorData {
    TorchException.requireNonNull(dtype, "dtype");
    TorchException.requireNonNull(shape, "shape");
    TorchException.requireNonNull(strides, "strides");
    TorchException.requireNonNull(memory, "memory");
    shape = shape.clone();
    strides = strides.clone();
    if (shape.length != strides.length) {
      throw new RdmException(
          "a tensor with %s sizes has %s strides".formatted(shape.length, strides.length));
    }
    long last = 0;
    boolean empty = false;
    try {
      long count = 1;
      for (int i = 0; i < shape.length; i++) {
        if (shape[i] < 0 || strides[i] < 0) {
          throw new RdmException(
              "a tensor has sizes %s and strides %s: none may be negative"
                  .formatted(Arrays.toString(shape), Arrays.toString(strides)));
        }
        empty |= shape[i] == 0;
        count = Math.multiplyExact(count, Math.max(1, shape[i]));
        last = Math.addExact(last, Math.multiplyExact(Math.max(0, shape[i] - 1), strides[i]));
      }
      long needed = empty ? 0 : Math.multiplyExact(Math.addExact(last, 1), dtype.byteSize());
      // A stride of 0 would let a small storage claim any number of elements.
      long dense = empty ? 0 : Math.multiplyExact(count, dtype.byteSize());
      if (needed > memory.byteSize() || dense > memory.byteSize()) {
        throw new RdmException(
            "a %s tensor of sizes %s and strides %s needs %s bytes, but its storage has %s"
                .formatted(
                    dtype.torchName(),
                    Arrays.toString(shape),
                    Arrays.toString(strides),
                    Math.max(needed, dense),
                    memory.byteSize()));
      }
    } catch (ArithmeticException e) {
      throw new RdmException(
          "a tensor of sizes %s and strides %s is larger than any memory"
              .formatted(Arrays.toString(shape), Arrays.toString(strides)),
          e);
    }
  }

  /** A tensor whose elements lie in row-major order without gaps. */
  public static TensorData contiguous(DType dtype, long[] shape, MemorySegment memory) {
    TorchException.requireNonNull(dtype, "dtype");
    TorchException.requireNonNull(shape, "shape");
    TorchException.requireNonNull(memory, "memory");
    return new TensorData(dtype, shape, contiguousStrides(shape), memory);
  }

  /** Row-major strides of a shape, in elements. */
  public static long[] contiguousStrides(long... shape) {
    TorchException.requireNonNull(shape, "shape");
    long[] strides = new long[shape.length];
    long step = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = step;
      // An overflow shows in the constructor's own arithmetic.
      step *= Math.max(1, shape[i]);
    }
    return strides;
  }

  /** The number of elements. */
  public long numel() {
    long n = 1;
    for (long s : shape) {
      n *= s;
    }
    return n;
  }

  /** The number of bytes from the first element to the end of the last one; 0 without any. */
  long spanBytes() {
    long last = 0;
    for (int i = 0; i < shape.length; i++) {
      if (shape[i] == 0) {
        return 0;
      }
      last += (shape[i] - 1) * strides[i];
    }
    return (last + 1) * dtype.byteSize();
  }

  /** The number of bytes of the elements themselves. */
  public long byteSize() {
    return numel() * dtype.byteSize();
  }

  /** Whether the elements lie in row-major order without gaps. */
  public boolean isContiguous() {
    long step = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      if (shape[i] != 1 && strides[i] != step && numel() > 0) {
        return false;
      }
      step *= Math.max(1, shape[i]);
    }
    return true;
  }

  /**
   * Lets the physical pages of a mapped file go; they are read again if they are needed again. Does
   * nothing for other memory.
   */
  public void unload() {
    if (memory.isMapped() && memory.byteSize() > 0) {
      memory.unload();
    }
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }

  @Override
  public long[] strides() {
    return strides.clone();
  }

  @Override
  public boolean equals(Object o) {
    return o == this;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  @Override
  public String toString() {
    return dtype.torchName() + Arrays.toString(shape);
  }
}
