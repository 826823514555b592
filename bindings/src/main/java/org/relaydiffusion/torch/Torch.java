// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.torch.ffi.ContextAbi;
import org.relaydiffusion.torch.ffi.NativeCallException;
import org.relaydiffusion.torch.ffi.TensorAbi;

/** Creation: tensors from numbers, arrays and memory. */
public final class Torch {
  private static final Operator ZERO = Operator.of("aten::zero_(Tensor(a!) self) -> Tensor(a!)");
  private static final Operator ZEROS_LIKE =
      Operator.of(
          "aten::zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device?"
              + " device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor");
  private static final Operator FILL =
      Operator.of("aten::fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)");
  private static final Operator STACK =
      Operator.of("aten::stack(Tensor[] tensors, int dim=0) -> Tensor");
  private static final Operator EMPTY =
      Operator.of(
          "aten::empty.memory_format(SymInt[] size, *, ScalarType? dtype=None, "
              + "Layout? layout=None, Device? device=None, bool? pin_memory=None, "
              + "MemoryFormat? memory_format=None) -> Tensor");

  private static final Operator EMPTY_LIKE =
      Operator.of(
          "aten::empty_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, "
              + "Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) "
              + "-> Tensor");
  private static final Operator LINSPACE =
      Operator.of(
          "aten::linspace.Tensor_Tensor(Tensor start, Tensor end, int steps, *, "
              + "ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
              + "bool? pin_memory=None) -> Tensor");
  private static final Operator EYE =
      Operator.of(
          "aten::eye(SymInt n, *, ScalarType? dtype=None, Layout? layout=None, "
              + "Device? device=None, bool? pin_memory=None) -> Tensor");
  private static final Operator CUMSUM =
      Operator.of("aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor");

  private Torch() {}

  /** The LibTorch underneath, loaded now if it is not yet. */
  public static LibTorch library() {
    return LibTorch.load();
  }

  /**
   * From now on cuDNN times its kernels for each new shape and keeps the quickest, in the whole
   * process; which one that is may differ from run to run. Changes nothing on the CPU.
   */
  public static void benchmarkCudnn() {
    ContextAbi.benchmarkCudnn();
  }

  /** An uninitialised tensor. */
  public static Tensor empty(DType dtype, Device device, long... sizes) {
    TorchException.requireNonNull(sizes, "sizes");
    return emptyStrided(dtype, device, sizes, TensorData.contiguousStrides(sizes));
  }

  /**
   * Checks that tensors can be made on a device.
   *
   * @throws OptionException saying in one line why not, e.g. that there is no driver
   */
  public static void requireUsable(Device device) {
    TorchException.requireNonNull(device, "device");
    if (device.type() == Device.Type.CUDA) {
      Cuda.require(device);
    }
  }

  /**
   * How many CUDA devices this process can use; {@code CUDA_VISIBLE_DEVICES} and the scheduler may
   * have left it fewer than the machine has.
   */
  public static int cudaDeviceCount() {
    return Cuda.count();
  }

  /** An uninitialised tensor whose elements lie as {@code strides} says, none of them negative. */
  public static Tensor emptyStrided(DType dtype, Device device, long[] sizes, long[] strides) {
    TorchException.requireNonNull(dtype, "dtype");
    TorchException.requireNonNull(device, "device");
    TorchException.requireNonNull(sizes, "sizes");
    TorchException.requireNonNull(strides, "strides");
    Sizes.check(sizes);
    Sizes.checkStrides(sizes, strides);
    requireUsable(device);
    DeviceSimulation simulation = DeviceSimulation.current();
    Device place = simulation == null ? device : Device.CPU;
    try {
      Tensor made =
          new Tensor(
              TensorAbi.emptyStrided(
                  sizes, strides, dtype.code(), place.type().code(), place.index()));
      if (simulation != null) {
        simulation.made(made, device);
      }
      return made;
    } catch (NativeCallException e) {
      throw TorchException.failed(
          "making %s%s on %s".formatted(dtype.torchName(), Arrays.toString(sizes), device), e);
    }
  }

  /**
   * An uninitialised tensor on the CPU in pinned memory, from which {@link Shapes#toAsync} copies
   * to a CUDA device while the CPU goes on. Such memory is scarce and slow to make; LibTorch keeps
   * what is closed for the next one of that size.
   *
   * @throws TorchException when there is no CUDA device, or no such memory left
   */
  public static Tensor emptyPinned(DType dtype, long... sizes) {
    TorchException.requireNonNull(dtype, "dtype");
    TorchException.requireNonNull(sizes, "sizes");
    Sizes.check(sizes);
    return EMPTY.call().arg(sizes).arg(dtype).at("pin_memory").arg(true).tensor();
  }

  /** Zeros on the CPU. */
  public static Tensor zeros(DType dtype, long... sizes) {
    return zeros(dtype, Device.CPU, sizes);
  }

  /** Zeros. */
  public static Tensor zeros(DType dtype, Device device, long... sizes) {
    Tensor t = empty(dtype, device, sizes);
    return ZERO.apply(t);
  }

  /** Ones on the CPU. */
  public static Tensor ones(DType dtype, long... sizes) {
    return ones(dtype, Device.CPU, sizes);
  }

  /** Ones. */
  public static Tensor ones(DType dtype, Device device, long... sizes) {
    return full(1, dtype, device, sizes);
  }

  /** One value everywhere, on the CPU. */
  public static Tensor full(double value, DType dtype, long... sizes) {
    return full(value, dtype, Device.CPU, sizes);
  }

  /** One value everywhere. */
  public static Tensor full(double value, DType dtype, Device device, long... sizes) {
    Tensor t = empty(dtype, device, sizes);
    try (Tensor v = scalar(value)) {
      return FILL.apply(t, v);
    }
  }

  /** A 0-dim CPU tensor's number as one of a device: a kernel that writes it, not a copy. */
  static Tensor filled(Tensor number, Device device) {
    return device.equals(Device.CPU)
        ? number.alias()
        : FILL.apply(empty(number.dtype(), device), number);
  }

  /** Zeros of another tensor's shape, type and device, in its order of axes where it is dense. */
  public static Tensor zerosLike(Tensor like) {
    return ZEROS_LIKE.apply(like);
  }

  /** Ones of another tensor's shape, type and device, in its order of axes where it is dense. */
  public static Tensor onesLike(Tensor like) {
    return fullLike(like, 1);
  }

  /** One value everywhere, of another tensor's shape, type and device, and order of axes. */
  public static Tensor fullLike(Tensor like, double value) {
    Tensor t = EMPTY_LIKE.apply(like);
    try (Tensor v = scalar(value)) {
      return FILL.apply(t, v);
    }
  }

  /**
   * A 0-dim float64 tensor. As an operand beside a floating tensor of one axis or more it takes
   * that tensor's type, as a Python number does.
   */
  public static Tensor scalar(double value) {
    return new Tensor(TensorAbi.scalar(value));
  }

  /** A 0-dim int64 tensor. */
  public static Tensor scalar(long value) {
    return new Tensor(TensorAbi.scalar(value));
  }

  /** The numbers 0, 1, ... n - 1. */
  public static Tensor arange(int n, DType dtype) {
    TorchException.requireNonNull(dtype, "dtype");
    Sizes.check(n);
    // Not by way of an array, which can be larger than Java's heap.
    try (Tensor steps = ones(DType.INT64, n);
        Tensor first = Shapes.narrow(steps, 0, 0, Math.min(n, 1))) {
      ZERO.apply(first);
      try (Tensor counted = CUMSUM.call().arg(steps).arg(0).tensor()) {
        return counted.to(dtype);
      }
    }
  }

  /**
   * Numbers at equal distances, from {@code start} to {@code end}, on the CPU.
   *
   * @param steps how many, 0 or more; of one there is start alone
   */
  public static Tensor linspace(double start, double end, long steps, DType dtype) {
    TorchException.requireNonNull(dtype, "dtype");
    try (Tensor from = scalar(start);
        Tensor to = scalar(end)) {
      return LINSPACE.call().arg(from).arg(to).arg(steps).arg(dtype).tensor();
    }
  }

  /** The identity matrix [n, n] on the CPU. */
  public static Tensor eye(long n, DType dtype) {
    TorchException.requireNonNull(dtype, "dtype");
    return EYE.call().arg(n).arg(dtype).tensor();
  }

  /** A float32 copy of an array as a vector, on the CPU. */
  public static Tensor tensor(float[] values) {
    return tensor(values, TorchException.requireNonNull(values, "values").length);
  }

  /**
   * A float32 copy of an array in row-major order, on the CPU.
   *
   * @throws TorchException when the sizes have another number of elements
   */
  public static Tensor tensor(float[] values, long... sizes) {
    return JavaArrays.tensor(values, sizes);
  }

  /** A float64 copy of an array as a vector, on the CPU. */
  public static Tensor tensor(double[] values) {
    return tensor(values, TorchException.requireNonNull(values, "values").length);
  }

  /**
   * A float64 copy of an array in row-major order, on the CPU.
   *
   * @throws TorchException when the sizes have another number of elements
   */
  public static Tensor tensor(double[] values, long... sizes) {
    return JavaArrays.tensor(values, sizes);
  }

  /** An int64 copy of an array as a vector, on the CPU. */
  public static Tensor tensor(long[] values) {
    return tensor(values, TorchException.requireNonNull(values, "values").length);
  }

  /**
   * An int64 copy of an array in row-major order, on the CPU.
   *
   * @throws TorchException when the sizes have another number of elements
   */
  public static Tensor tensor(long[] values, long... sizes) {
    return JavaArrays.tensor(values, sizes);
  }

  /** An int32 copy of an array as a vector, on the CPU. */
  public static Tensor tensor(int[] values) {
    return tensor(values, TorchException.requireNonNull(values, "values").length);
  }

  /**
   * An int32 copy of an array in row-major order, on the CPU.
   *
   * @throws TorchException when the sizes have another number of elements
   */
  public static Tensor tensor(int[] values, long... sizes) {
    return JavaArrays.tensor(values, sizes);
  }

  /** A uint8 copy of an array as a vector, on the CPU. */
  public static Tensor tensor(byte[] values) {
    return tensor(values, TorchException.requireNonNull(values, "values").length);
  }

  /**
   * A uint8 copy of an array in row-major order, on the CPU.
   *
   * @throws TorchException when the sizes have another number of elements
   */
  public static Tensor tensor(byte[] values, long... sizes) {
    return JavaArrays.tensor(values, sizes);
  }

  /** A bool copy of an array as a vector, on the CPU. */
  public static Tensor tensor(boolean[] values) {
    return tensor(values, TorchException.requireNonNull(values, "values").length);
  }

  /**
   * A bool copy of an array in row-major order, on the CPU.
   *
   * @throws TorchException when the sizes have another number of elements
   */
  public static Tensor tensor(boolean[] values, long... sizes) {
    return JavaArrays.tensor(values, sizes);
  }

  /**
   * A float32 copy of a matrix [rows, columns], on the CPU.
   *
   * @throws TorchException when the rows are not equally long
   */
  public static Tensor tensor(float[][] rows) {
    return JavaArrays.tensor(rows);
  }

  /**
   * A float64 copy of a matrix [rows, columns], on the CPU.
   *
   * @throws TorchException when the rows are not equally long
   */
  public static Tensor tensor(double[][] rows) {
    return JavaArrays.tensor(rows);
  }

  /**
   * A tensor over memory that Java owns, without a copy. Reads and writes go to that memory, which
   * stays for as long as the tensor, a view of it or anything else of LibTorch's shares it: memory
   * of a {@link org.relaydiffusion.io.LeasedArena} (a {@link org.relaydiffusion.io.MappedFile}'s is
   * one's), also beyond its closing; of {@code Arena.ofAuto()}, {@code Arena.global()} and direct
   * buffers anyway. That of other arenas is refused. Over read-only memory the tensor and all that
   * share it refuse to be written.
   *
   * @throws TorchException when the memory is on Java's heap, closed, of another arena, or begins
   *     at no multiple of the element's size
   */
  public static Tensor fromData(TensorData data) {
    TorchException.requireNonNull(data, "data");
    MemorySegment memory = data.memory();
    if (!memory.isNative()) {
      throw new TorchException("only native memory can become a tensor without a copy: " + data);
    }
    if (memory.address() % data.dtype().byteSize() != 0) {
      throw new TorchException(
          "%s begins at address %s, which is no multiple of its element's %s bytes"
              .formatted(data, Long.toUnsignedString(memory.address()), data.dtype().byteSize()));
    }
    Sizes.check(data.shape());
    return data.numel() == 0
        ? empty(data.dtype(), Device.CPU, data.shape())
        : JavaMemory.view(data);
  }

  /** Joins equal shapes along a new axis. */
  public static Tensor stack(List<Tensor> tensors, int dim) {
    return STACK.call().arg(tensors).arg(dim).tensor();
  }
}
