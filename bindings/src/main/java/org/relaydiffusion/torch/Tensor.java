// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collection;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.ffi.AutogradAbi;
import org.relaydiffusion.torch.ffi.CpuAbi;
import org.relaydiffusion.torch.ffi.NativeCallException;
import org.relaydiffusion.torch.ffi.StorageAbi;
import org.relaydiffusion.torch.ffi.TensorAbi;

/**
 * An n-dimensional array that LibTorch owns. It belongs to the innermost {@link TensorScope} of the
 * thread that made it; made outside any scope, or after {@link #release()}, it belongs to the
 * caller, who closes it. A closed tensor throws when it is used.
 *
 * <p>The most common operators are methods; the others are static methods of classes that are named
 * after PyTorch's chapters: {@link Torch} (creation), {@link Pointwise}, {@link Comparison}, {@link
 * Reduction}, {@link Norms}, {@link Sorting}, {@link Shapes}, {@link Functional}, {@link Losses},
 * {@link LinearAlgebra}, {@link Fourier}. Any other operator of LibTorch is called by an {@link
 * Operator}.
 */
public final class Tensor implements TensorExpressions, AutoCloseable {
  private static final String CLOSED = "closed tensor";

  private final NativeTensor nativeTensor;
  private @Nullable TensorScope scope;

  /** Filled on first use, by any thread. */
  private volatile long @Nullable [] shape;

  // Filled on first use, by any thread: whoever sees an older state asks again.
  private @Nullable DType dtype;
  private @Nullable Device device;
  private @Nullable Boolean denseOnCpu;

  /** Takes a handle over. */
  Tensor(long handle) {
    nativeTensor = new NativeTensor(handle);
    scope = TensorScope.current();
    if (scope != null) {
      scope.add(this);
    } else {
      nativeTensor.guard(this);
    }
  }

  private Tensor(NativeTensor nativeTensor) {
    this.nativeTensor = nativeTensor;
  }

  /**
   * Takes over a handle of a tensor that this library itself calls operators with. It is in no
   * scope and not counted, and never handed out.
   *
   * @param owner frees it when it is lost; null for a tensor that lives as long as the process
   */
  static Tensor ofLibrary(long handle, @Nullable Object owner) {
    return new Tensor(NativeTensor.ofLibrary(handle, owner));
  }

  /** Takes over a handle of a tensor that is known to be dense and on the CPU. */
  static Tensor denseOnCpu(long handle, @Nullable DType dtype) {
    Tensor t = new Tensor(handle);
    t.denseOnCpu = true;
    t.device = Device.CPU;
    t.dtype = dtype;
    return t;
  }

  // ---- lifetime

  /**
   * Frees the tensor now, or, where another thread is computing with it, when that is done. Closing
   * twice is allowed.
   *
   * @throws TorchException when it belongs to a scope of another thread
   */
  @Override
  public void close() {
    if (!isClosed()) {
      checkThread();
      nativeTensor.free();
    }
    scope = null;
  }

  /** Whether it has been closed. */
  public boolean isClosed() {
    return nativeTensor.isClosed();
  }

  /**
   * Takes the tensor out of its scope: from now on it belongs to the caller, on any thread.
   *
   * @return this
   * @throws TorchException when it is closed, or in a scope of another thread
   */
  public Tensor release() {
    checkOpen();
    if (scope != null) {
      nativeTensor.endConfinedLoan();
      scope = null;
      nativeTensor.guard(this);
    }
    return this;
  }

  /** The number of tensors that are open in this process. */
  public static long liveCount() {
    return NativeTensor.live();
  }

  /** The number of tensors that were lost without being closed, as far as the collector saw. */
  public static long lostCount() {
    return NativeTensor.lost();
  }

  /**
   * Leaves a scope that could not close it. Unlike {@link #release()} it always can: what was lent
   * to this thread alone may still be in use, and then only this thread can close the tensor.
   */
  void leaveScope() {
    try {
      nativeTensor.endConfinedLoan();
    } catch (TorchException e) {
      // The scope reports why the tensor was not closed.
    }
    if (scope != null) {
      scope = null;
      if (!isClosed()) {
        nativeTensor.guard(this);
      }
    }
  }

  void moveTo(TensorScope target) {
    checkOpen();
    scope = target;
    target.add(this);
  }

  boolean isOwnedBy(TensorScope candidate) {
    return scope == candidate;
  }

  /** A new handle of this tensor, for a call that takes it over. */
  long furtherHandle() {
    checkThread();
    return scope == null ? nativeTensor.further() : TensorAbi.clone(nativeTensor.confined());
  }

  /** This tensor again, as a tensor of the current scope. */
  Tensor alias() {
    Tensor alias = new Tensor(furtherHandle());
    alias.shape = shape;
    alias.dtype = dtype;
    alias.device = device;
    alias.denseOnCpu = denseOnCpu;
    return alias;
  }

  /**
   * The handle for a call, valid until {@link #endUse}. A tensor of a scope needs no lock: nobody
   * but this thread closes it.
   */
  long beginUse() {
    checkThread();
    return scope == null ? nativeTensor.pin() : nativeTensor.confined();
  }

  /** Ends what {@link #beginUse} began. */
  void endUse() {
    if (scope == null) {
      nativeTensor.unpin();
    }
  }

  /**
   * Whether it is an ordinary tensor on the CPU, whose elements lie in memory as its strides say,
   * and of one of the types known here; false for a tensor that cannot be used.
   */
  boolean isDenseOnCpu() {
    if (isClosed() || !isOnItsThread()) {
      return false;
    }
    Boolean known = denseOnCpu;
    if (known == null) {
      known =
          nativeTensor.ask(h -> CpuAbi.isDense(h) ? 1 : 0) != 0
              && DType.ofCode((int) nativeTensor.ask(TensorAbi::dtype)).isPresent();
      denseOnCpu = known;
    }
    return known;
  }

  /**
   * Prepares for an operator that may give it another shape, type or memory: what was lent ends,
   * and LibTorch is asked again what it is.
   *
   * @throws TorchException when memory that was lent is in use, or its storage is read-only: also
   *     one without elements would be written there once it has some
   */
  void prepareToChange() {
    if (ReadOnlyMemory.isAny() && ReadOnlyMemory.contains(usable().ask(StorageAbi::dataAddress))) {
      throw readOnly();
    }
    usable().endLoansOfStorage();
    shape = null;
    dtype = null;
    device = null;
    denseOnCpu = null;
  }

  /** A call of LibTorch with two handles. */
  @FunctionalInterface
  interface PairCall {
    long apply(long a, long b) throws NativeCallException;
  }

  /** Calls with the handles of two tensors, which stay valid for as long as it lasts. */
  static long with(Tensor a, Tensor b, PairCall call) throws NativeCallException {
    TorchException.requireNonNull(a, "a");
    TorchException.requireNonNull(b, "b");
    long first = a.beginUse();
    try {
      long second = b.beginUse();
      try {
        return call.apply(first, second);
      } finally {
        b.endUse();
      }
    } finally {
      a.endUse();
    }
  }

  /** Calls with the handle while no other thread reads or replaces the gradient. */
  void alone(LongConsumer call) {
    usable()
        .askAlone(handle -> {
          call.accept(handle);
          return 0;
        });
  }

  /** Calls with the handle, which stays valid for as long as it lasts. */
  void with(LongConsumer call) {
    long handle = beginUse();
    try {
      call.accept(handle);
    } finally {
      endUse();
    }
  }

  /**
   * Refuses a tensor in memory that is only mapped for reading, where a write would end the
   * process: also a view, an alias, a gradient or whatever else shares it.
   */
  void checkWritable() {
    if (isReadOnly()) {
      throw readOnly();
    }
  }

  private TorchException readOnly() {
    return new TorchException(
        describe() + " lies in read-only memory: Shapes.copy gives one that can be changed");
  }

  /** Whether a write to it would end the process. */
  boolean isReadOnly() {
    return ReadOnlyMemory.isAny()
        && ReadOnlyMemory.contains(usable().ask(TensorAbi::dataPointerOrZero));
  }

  private void checkOpen() {
    checkThread();
    if (isClosed()) {
      throw new TorchException("this tensor is closed");
    }
  }

  private NativeTensor usable() {
    checkThread();
    return nativeTensor;
  }

  private boolean isOnItsThread() {
    TensorScope s = scope;
    return s == null || s.owner() == Thread.currentThread();
  }

  private void checkThread() {
    TensorScope s = scope;
    if (s != null && s.owner() != Thread.currentThread()) {
      throw new TorchException(
          "this tensor belongs to a scope of thread %s; release() it to use it on %s"
              .formatted(s.owner().getName(), Thread.currentThread().getName()));
    }
  }

  // ---- what it is

  /** The sizes, outermost first; empty for a scalar. The array is the caller's. */
  public long[] shape() {
    return sizes().clone();
  }

  private long[] sizes() {
    long[] known = shape;
    if (known == null) {
      known = usable().askList(TensorAbi::sizes);
      shape = known;
    } else {
      checkOpen();
    }
    return known;
  }

  /** The number of axes. */
  public int rank() {
    return sizes().length;
  }

  /**
   * The size of axis {@code dim}; negative counts from the end.
   *
   * @throws TorchException when there is no such axis
   */
  public long size(int dim) {
    long[] s = sizes();
    int axis = dim < 0 ? dim + s.length : dim;
    if (axis < 0 || axis >= s.length) {
      throw new TorchException(describe() + " has no axis " + dim);
    }
    return s[axis];
  }

  /** The number of elements. */
  public long numel() {
    long n = 1;
    for (long s : sizes()) {
      n *= s;
    }
    return n;
  }

  /** The strides, in elements. */
  public long[] strides() {
    return usable().askList(TensorAbi::strides);
  }

  /** The element type. */
  public DType dtype() {
    DType known = dtype;
    if (known == null) {
      int code = (int) usable().ask(TensorAbi::dtype);
      known =
          DType.ofCode(code)
              .orElseThrow(() ->
                  new TorchException("LibTorch's element type %s is unknown".formatted(code)));
      dtype = known;
    } else {
      checkOpen();
    }
    return known;
  }

  /** Where it lives. */
  public Device device() {
    Device known = device;
    if (known == null) {
      NativeTensor t = usable();
      known =
          t.ask(TensorAbi::deviceType) == Device.Type.CPU.code()
              ? Device.CPU
              : Device.cuda((int) t.ask(TensorAbi::deviceIndex));
      device = known;
    } else {
      checkOpen();
    }
    return known;
  }

  /**
   * The memory of a dense CPU tensor, in place: reads and writes go to the tensor. It ends with the
   * tensor, and a use of it after that throws; also where an operator may change the tensor's shape
   * or memory ({@code resize_}, anything with {@code out}). That of a tensor in a scope ends where
   * the tensor is released, too, and is for the scope's thread alone. Read-only where the tensor
   * is.
   *
   * @throws TorchException when it is not on the CPU or not contiguous in row-major order
   */
  public MemorySegment memory() {
    if (device().type() != Device.Type.CPU || !isContiguous()) {
      throw new TorchException(describe() + " has no row-major CPU memory");
    }
    MemorySegment memory = usable().memory(scope != null);
    return isReadOnly() ? memory.asReadOnly() : memory;
  }

  /** As {@link #memory}, but for the caller alone, who keeps the tensor open meanwhile. */
  MemorySegment borrowedMemory() {
    return MemorySegment.ofAddress(usable().ask(TensorAbi::dataPointer))
        .reinterpret(usable().ask(NativeTensor::bytes));
  }

  /** Whether the elements lie in row-major order without gaps. */
  public boolean isContiguous() {
    return usable().ask(h -> TensorAbi.isContiguous(h) ? 1 : 0) != 0;
  }

  // ---- gradients

  /** Whether it is a leaf whose gradient is wanted, or was computed from one. */
  public boolean requiresGrad() {
    return usable().ask(h -> AutogradAbi.requiresGrad(h) ? 1 : 0) != 0;
  }

  /**
   * Marks a leaf as one whose gradient is wanted, or not.
   *
   * @return this
   * @throws TorchException when it is not of a floating type, or was computed from other tensors
   */
  public Tensor requiresGrad(boolean wanted) {
    Gradient.require(this, wanted);
    return this;
  }

  /** The same elements, shared, outside any graph: gradients stop here. */
  public Tensor detach() {
    return Shapes.detach(this);
  }

  /**
   * Adds the derivatives of this one-element tensor to the gradient of every leaf that requires
   * one, and frees the graph; {@link Autograd#backward} has the choices.
   *
   * @throws TorchException when it has more elements, or was not computed from such a leaf
   */
  public void backward() {
    Autograd.backward(this, null, Autograd.Graph.FREE);
  }

  /**
   * The gradient that backward passes have added up so far, or null: an alias of it, the current
   * scope's. A later pass may add to the same memory.
   */
  public @Nullable Tensor grad() {
    long handle = usable().askAlone(AutogradAbi::grad);
    return handle == 0 ? null : new Tensor(handle);
  }

  /** Forgets the gradient; the next backward pass begins a new one. */
  public void clearGrad() {
    setGrad(null);
  }

  /**
   * Replaces the gradient; null forgets it. The tensor given stays its owner's.
   *
   * @throws TorchException when its type, shape or device is not this tensor's
   */
  public void setGrad(@Nullable Tensor grad) {
    Gradient.set(this, grad);
  }

  /** {@code self.copy_(source)}: converts type and device, broadcasts. Returns this. */
  public Tensor copyFrom(Tensor source) {
    TorchException.requireNonNull(source, "source");
    checkWritable();
    try {
      with(
          this,
          source,
          (self, from) -> {
            TensorAbi.copy(self, from);
            return 0;
          });
    } catch (NativeCallException e) {
      throw TorchException.failed(
          "copy_ of %s into %s".formatted(source.describe(), describe()), e);
    }
    return this;
  }

  // ---- elements

  /**
   * All elements as doubles, in row-major order.
   *
   * @throws TorchException also when they are more than an array can have
   */
  public double[] toDoubles() {
    return Transfer.toDoubles(this);
  }

  /**
   * All elements as floats, in row-major order.
   *
   * @throws TorchException also when they are more than an array can have
   */
  public float[] toFloats() {
    return Transfer.toFloats(this);
  }

  /**
   * All elements as longs, in row-major order.
   *
   * @throws TorchException also when they are more than an array can have
   */
  public long[] toLongs() {
    return Transfer.toLongs(this);
  }

  /** All elements of a uint8 tensor, in row-major order. */
  public byte[] toBytes() {
    return Transfer.toBytes(this);
  }

  /** All elements as ints, in row-major order. */
  public int[] toInts() {
    return JavaArrays.toInts(this);
  }

  /** Whether each element is other than 0, in row-major order. */
  public boolean[] toBooleans() {
    return JavaArrays.toBooleans(this);
  }

  /**
   * The elements of a matrix [rows, columns] as doubles.
   *
   * @throws TorchException when it does not have two dimensions
   */
  public double[][] toDoubleMatrix() {
    return JavaArrays.toDoubleMatrix(this);
  }

  /**
   * The elements of a matrix [rows, columns] as floats.
   *
   * @throws TorchException when it does not have two dimensions
   */
  public float[][] toFloatMatrix() {
    return JavaArrays.toFloatMatrix(this);
  }

  /** The one element of a one-element tensor. */
  public double item() {
    if (numel() != 1) {
      throw new TorchException("item() needs a tensor of one element, not " + describe());
    }
    long handle = beginUse();
    try {
      return TensorAbi.item(handle);
    } catch (NativeCallException e) {
      throw TorchException.failed("the element of " + describe(), e);
    } finally {
      endUse();
    }
  }

  /**
   * Type, shape and, off the CPU, device, e.g. {@code float32[4, 3, 64, 64]}: what messages about a
   * tensor are made of. It reads no elements and never throws.
   */
  public String describe() {
    if (isClosed()) {
      return CLOSED;
    }
    try {
      Device device = device();
      return dtype().torchName()
          + Arrays.toString(sizes())
          + (device.type() == Device.Type.CPU ? "" : "@" + device);
    } catch (RdmException e) {
      return unreadable(e);
    }
  }

  private static String unreadable(RdmException e) {
    return "a tensor that cannot be described (" + e.getMessage() + ")";
  }

  /** {@link #describe()} of each, in brackets. */
  public static String describe(Collection<? extends @Nullable Tensor> tensors) {
    return TorchException.requireNonNull(tensors, "tensors").stream()
        .map(t -> t == null ? "None" : t.describe())
        .collect(Collectors.joining(", ", "[", "]"));
  }

  /**
   * The elements as {@code print} shows them in Python, e.g. {@code tensor([0.5000, 1.0000])}. Of
   * more than 1000 elements the first and the last three along each axis are shown; only what is
   * shown is read, or copied from a device. It never throws: a closed tensor is a {@code closed
   * tensor}.
   */
  @Override
  public String toString() {
    if (isClosed()) {
      return CLOSED;
    }
    try {
      return TensorPrinter.textOf(this);
    } catch (RdmException e) {
      return unreadable(e);
    }
  }
}
