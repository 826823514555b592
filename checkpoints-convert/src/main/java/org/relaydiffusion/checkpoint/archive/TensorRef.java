// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.pickle.BadPickleException;
import org.relaydiffusion.checkpoint.pickle.Described;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.checkpoint.pickle.Values;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;

/**
 * A tensor in a file: sizes and strides over a storage, validated against the declared size of the
 * storage.
 */
public final class TensorRef implements Described {
  private static final int MOST_AXES = 64;

  private final Storage storage;
  private final DType dtype;
  private final long offset;
  private final long[] shape;
  private final long[] strides;

  private TensorRef(Storage storage, DType dtype, long offset, long[] shape, long[] strides) {
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }

  /**
   * Creates a tensor from {@code (storage, storage_offset, size, stride, ...)}, the arguments of
   * PyTorch's rebuild functions.
   */
  static TensorRef of(List<Object> args) {
    return of(args, 4, 7, null);
  }

  /** Creates a tensor as {@link #of(List)}, with the dtype as the seventh argument. */
  static TensorRef withDType(List<Object> args) {
    if (args.size() < 7 || !(args.get(6) instanceof DType dtype)) {
      throw new BadPickleException("rebuilds a tensor without a known dtype");
    }
    return of(args, 7, 8, dtype);
  }

  private static TensorRef of(List<Object> args, int least, int most, @Nullable DType dtype) {
    if (args.size() < least || args.size() > most) {
      throw new BadPickleException("rebuilds a tensor from %s arguments".formatted(args.size()));
    }
    if (!(args.get(0) instanceof Storage storage)) {
      throw new BadPickleException(
          "rebuilds a tensor on %s, expected a storage".formatted(Values.show(args.get(0))));
    }
    if (!(args.get(1) instanceof Long offset)) {
      throw new BadPickleException(
          "has a tensor with the storage offset %s".formatted(Values.show(args.get(1))));
    }
    TensorRef tensor =
        new TensorRef(
            storage,
            dtype == null ? storage.dtype() : dtype,
            offset,
            longs(args.get(2), "sizes"),
            longs(args.get(3), "strides"));
    tensor.check();
    return tensor;
  }

  private static long[] longs(Object value, String what) {
    List<?> items = value instanceof Tuple t ? t.items() : value instanceof List<?> l ? l : null;
    if (items == null || items.size() > MOST_AXES) {
      throw new BadPickleException(
          "has a tensor with the %s %s".formatted(what, Values.show(value)));
    }
    long[] numbers = new long[items.size()];
    for (int i = 0; i < numbers.length; i++) {
      if (!(items.get(i) instanceof Long n)) {
        throw new BadPickleException(
            "has a tensor with %s in its %s".formatted(Values.show(items.get(i)), what));
      }
      numbers[i] = n;
    }
    return numbers;
  }

  private void check() {
    boolean negative =
        offset < 0
            || Arrays.stream(shape).anyMatch(s -> s < 0)
            || Arrays.stream(strides).anyMatch(s -> s < 0);
    if (negative || shape.length != strides.length) {
      throw new BadPickleException(
          "has " + describe() + ": sizes and strides must have equal length and not be negative");
    }
    try {
      long count = 1;
      long last = offset;
      for (int i = 0; i < shape.length; i++) {
        count = Math.multiplyExact(count, shape[i]);
        last = Math.addExact(last, Math.multiplyExact(Math.max(0, shape[i] - 1), strides[i]));
      }
      long elements = storage.byteSize() / dtype.byteSize();
      // A stride of 0 would allow a small storage to declare any number of elements.
      if (offset > elements || count > elements - offset || (count > 0 && last >= elements)) {
        throw new BadPickleException(
            "has %s, but its storage has %s elements".formatted(describe(), elements));
      }
    } catch (ArithmeticException e) {
      throw new BadPickleException("has %s, which is too large".formatted(describe()));
    }
  }

  /** Returns the dtype. */
  public DType dtype() {
    return dtype;
  }

  /** Returns the number of axes. */
  public int rank() {
    return shape.length;
  }

  /** Returns the sizes, outermost axis first. */
  public long[] shape() {
    return shape.clone();
  }

  /**
   * Returns the tensor in the file, possibly unaligned, for reading in Java. Its checksum, if the
   * file has one, is verified first.
   *
   * @throws org.relaydiffusion.FileException if the checksum is wrong
   */
  public TensorData raw() {
    return on(storage.raw());
  }

  /**
   * Returns the tensor as {@link #raw}, at an aligned address; copied if that in the file is not
   * aligned.
   */
  public TensorData aligned() {
    return on(storage.aligned(dtype.byteSize()));
  }

  /** Returns the file that contains it. */
  public MappedFile file() {
    return storage.file();
  }

  private TensorData on(MemorySegment memory) {
    return new TensorData(dtype, shape, strides, memory.asSlice(offset * dtype.byteSize()));
  }

  @Override
  public String describe() {
    return "a %s tensor of sizes %s, strides %s, offset %s"
        .formatted(dtype.torchName(), Arrays.toString(shape), Arrays.toString(strides), offset);
  }
}
