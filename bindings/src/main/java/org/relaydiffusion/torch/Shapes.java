// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.List;

/** Views, joining, indexing and conversion: operators that move elements without computing. */
public final class Shapes {
  private static final Operator RESHAPE =
      Operator.of("aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)");
  private static final Operator PERMUTE =
      Operator.of("aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)");
  private static final Operator TRANSPOSE =
      Operator.of("aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)");
  private static final Operator UNSQUEEZE =
      Operator.of("aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)");
  private static final Operator EXPAND =
      Operator.of(
          "aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)");
  private static final Operator REPEAT =
      Operator.of("aten::repeat(Tensor self, SymInt[] repeats) -> Tensor");
  private static final Operator CAT =
      Operator.of("aten::cat(Tensor[] tensors, int dim=0) -> Tensor");
  private static final Operator NARROW =
      Operator.of(
          "aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)");
  private static final Operator SLICE =
      Operator.of(
          "aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, "
              + "SymInt step=1) -> Tensor(a)");
  private static final Operator SELECT =
      Operator.of("aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)");
  private static final Operator CHUNK =
      Operator.of("aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]");
  private static final Operator UNBIND =
      Operator.of("aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]");
  private static final Operator FLIP = Operator.of("aten::flip(Tensor self, int[] dims) -> Tensor");
  private static final Operator ROLL =
      Operator.of("aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor");
  private static final Operator INDEX_SELECT =
      Operator.of("aten::index_select(Tensor self, int dim, Tensor index) -> Tensor");
  private static final Operator GATHER =
      Operator.of(
          "aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor");
  private static final Operator INDEX_COPY =
      Operator.of("aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor");
  private static final Operator CONTIGUOUS =
      Operator.of("aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)");
  private static final Operator TO_DTYPE =
      Operator.of(
          "aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, "
              + "bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)");
  private static final Operator CLONE =
      Operator.of("aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor");
  private static final Operator DETACH = Operator.of("aten::detach(Tensor(a) self) -> Tensor(a)");
  private static final Operator COPY =
      Operator.of(
          "aten::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)");

  private static final Operator SQUEEZE =
      Operator.of("aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)");
  private static final Operator FLATTEN =
      Operator.of(
          "aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) "
              + "-> Tensor(a)");
  private static final Operator SCATTER =
      Operator.of("aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor");
  private static final Operator SCATTER_ADD =
      Operator.of("aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor");
  private static final Operator MASKED_SELECT =
      Operator.of("aten::masked_select(Tensor self, Tensor mask) -> Tensor");
  private static final Operator MASKED_FILL =
      Operator.of("aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor");
  private static final Operator NONZERO = Operator.of("aten::nonzero(Tensor self) -> Tensor");
  private static final Operator TRIL =
      Operator.of("aten::tril(Tensor self, SymInt diagonal=0) -> Tensor");
  private static final Operator TRIU =
      Operator.of("aten::triu(Tensor self, SymInt diagonal=0) -> Tensor");

  private Shapes() {}

  /** A view (or copy, where none can be) of another shape; one size may be -1. */
  public static Tensor reshape(Tensor x, long... sizes) {
    Tensor reshaped = Unboxed.reshape(x, sizes);
    return reshaped != null ? reshaped : RESHAPE.call().arg(x).arg(sizes).tensor();
  }

  /** The axes in another order, as a view. */
  public static Tensor permute(Tensor x, long... dims) {
    return PERMUTE.call().arg(x).arg(dims).tensor();
  }

  /** Two axes swapped, as a view. */
  public static Tensor transpose(Tensor x, int dim0, int dim1) {
    return TRANSPOSE.call().arg(x).arg(dim0).arg(dim1).tensor();
  }

  /** A new axis of size 1 before {@code dim}, as a view. */
  public static Tensor unsqueeze(Tensor x, int dim) {
    return UNSQUEEZE.call().arg(x).arg(dim).tensor();
  }

  /** Axes of size 1 stretched without a copy; -1 keeps a size. */
  public static Tensor expand(Tensor x, long... sizes) {
    return EXPAND.call().arg(x).arg(sizes).tensor();
  }

  /** Copies side by side, {@code times[i]} along axis i. */
  public static Tensor repeat(Tensor x, long... times) {
    return REPEAT.call().arg(x).arg(times).tensor();
  }

  /** Tensors joined along an axis that they have. */
  public static Tensor cat(List<Tensor> tensors, int dim) {
    return CAT.call().arg(tensors).arg(dim).tensor();
  }

  /** Elements [start, start + length) of an axis, as a view. */
  public static Tensor narrow(Tensor x, int dim, long start, long length) {
    Tensor part = Unboxed.narrow(x, dim, start, length);
    return part != null ? part : NARROW.call().arg(x).arg(dim).arg(start).arg(length).tensor();
  }

  /** Elements start, start + step, ... below end of an axis, as a view. */
  public static Tensor slice(Tensor x, int dim, long start, long end, long step) {
    return SLICE.call().arg(x).arg(dim).arg(start).arg(end).arg(step).tensor();
  }

  /** One index of an axis, which goes, as a view. */
  public static Tensor select(Tensor x, int dim, long index) {
    return SELECT.call().arg(x).arg(dim).arg(index).tensor();
  }

  /** An axis cut into {@code chunks} nearly equal views. */
  public static List<Tensor> chunk(Tensor x, int chunks, int dim) {
    return CHUNK.call().arg(x).arg(chunks).arg(dim).tensorList();
  }

  /** Every index of an axis, which goes, as views. */
  public static List<Tensor> unbind(Tensor x, int dim) {
    return UNBIND.call().arg(x).arg(dim).tensorList();
  }

  /** A copy with axes reversed. */
  public static Tensor flip(Tensor x, long... dims) {
    return FLIP.call().arg(x).arg(dims).tensor();
  }

  /** A copy shifted around its ends: element i of axis dims[k] moves to i + shifts[k]. */
  public static Tensor roll(Tensor x, long[] shifts, long[] dims) {
    return ROLL.call().arg(x).arg(shifts).arg(dims).tensor();
  }

  /** The rows that an int64 vector names, along {@code dim}. */
  public static Tensor indexSelect(Tensor x, int dim, Tensor index) {
    return INDEX_SELECT.call().arg(x).arg(dim).arg(index).tensor();
  }

  /** Element i along {@code dim} is x's element index[i] there; the result has index's shape. */
  public static Tensor gather(Tensor x, int dim, Tensor index) {
    return GATHER.call().arg(x).arg(dim).arg(index).tensor();
  }

  /** A copy of x whose rows along {@code dim} that an int64 vector names are {@code rows}. */
  public static Tensor indexCopy(Tensor x, int dim, Tensor index, Tensor rows) {
    return INDEX_COPY.call().arg(x).arg(dim).arg(index).arg(rows).tensor();
  }

  /** Without axis {@code dim} if its size is 1, as a view; as it is otherwise. */
  public static Tensor squeeze(Tensor x, int dim) {
    return SQUEEZE.call().arg(x).arg(dim).tensor();
  }

  /** The axes from {@code startDim} to {@code endDim} joined into one; a view where one can be. */
  public static Tensor flatten(Tensor x, int startDim, int endDim) {
    return FLATTEN.call().arg(x).arg(startDim).arg(endDim).tensor();
  }

  /**
   * A copy of x whose element index[i] along {@code dim} is element i of {@code source}: the
   * inverse of {@link #gather}. If an index occurs twice, either element is written.
   *
   * @param index int64, in no axis larger than source, nor than x but along dim
   * @param source of x's type
   */
  public static Tensor scatter(Tensor x, int dim, Tensor index, Tensor source) {
    return SCATTER.call().arg(x).arg(dim).arg(index).arg(source).tensor();
  }

  /** As {@link #scatter}, but adds to the elements of x; an index may occur several times. */
  public static Tensor scatterAdd(Tensor x, int dim, Tensor index, Tensor source) {
    return SCATTER_ADD.call().arg(x).arg(dim).arg(index).arg(source).tensor();
  }

  /** The elements at which a bool mask, broadcast to x, is true: a vector in row-major order. */
  public static Tensor maskedSelect(Tensor x, Tensor mask) {
    return MASKED_SELECT.apply(x, mask);
  }

  /** A copy of x with one value where a bool mask, broadcast, is true. */
  public static Tensor maskedFill(Tensor x, Tensor mask, double value) {
    TorchException.requireNonNull(x, "x");
    try (Tensor v = Torch.full(value, x.dtype(), x.device())) {
      return MASKED_FILL.call().arg(x).arg(mask).arg(v).tensor();
    }
  }

  /** The indices of the elements that are not 0: int64 [n, rank], in row-major order. */
  public static Tensor nonzero(Tensor x) {
    return NONZERO.apply(x);
  }

  /** The matrices [..., n, m] with zeros above a diagonal: 0 is the main one, 1 the next above. */
  public static Tensor tril(Tensor x, long diagonal) {
    return TRIL.call().arg(x).arg(diagonal).tensor();
  }

  /** The matrices [..., n, m] with zeros below a diagonal: 0 is the main one, 1 the next above. */
  public static Tensor triu(Tensor x, long diagonal) {
    return TRIU.call().arg(x).arg(diagonal).tensor();
  }

  /** The elements in row-major order without gaps; an alias if they are already. */
  public static Tensor contiguous(Tensor x) {
    return x != null && x.isDenseOnCpu() && x.isContiguous()
        ? x.alias()
        : contiguous(x, MemoryFormat.CONTIGUOUS);
  }

  /** The elements in {@code format}; an alias if they are already. */
  public static Tensor contiguous(Tensor x, MemoryFormat format) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(format, "format");
    return CONTIGUOUS.call().arg(x).arg(format).tensor();
  }

  /** A copy that shares nothing. */
  public static Tensor copy(Tensor x) {
    return CLONE.apply(x);
  }

  /** The same elements, shared, outside any graph. */
  static Tensor detach(Tensor x) {
    return DETACH.apply(x);
  }

  /** Another element type; an alias if it has that type already. */
  public static Tensor to(Tensor x, DType dtype) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(dtype, "dtype");
    return x.dtype() == dtype ? x.alias() : TO_DTYPE.call().arg(x).arg(dtype).tensor();
  }

  /** Another device; an alias if it is there already. */
  public static Tensor to(Tensor x, Device device) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(device, "device");
    if (x.device().equals(device)) {
      return x.alias();
    }
    long[] sizes = x.shape();
    long[] strides = x.strides();
    // A copy keeps the order of the axes in memory, but not gaps or repetitions.
    return Torch.emptyStrided(
            x.dtype(),
            device,
            sizes,
            Sizes.areDense(sizes, strides) ? strides : TensorData.contiguousStrides(sizes))
        .copyFrom(x);
  }

  /**
   * Begins a copy to another device and returns. Operators that are called on that device later
   * wait for it; the CPU does not. From memory that is not pinned it is an ordinary copy. The
   * source must not be changed before the device has caught up; it may be closed at once, since
   * LibTorch keeps pinned memory until the copy is done.
   */
  public static Tensor toAsync(Tensor x, Device device) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(device, "device");
    Tensor copy = Torch.empty(x.dtype(), device, x.shape());
    try {
      return COPY.call().arg(copy).arg(x).arg(true).tensor();
    } catch (RuntimeException e) {
      copy.close();
      throw e;
    }
  }
}
