package org.relaydiffusion.torch;

import java.util.List;

/** Views, joining, indexing and conversion: operators that move elements without computing. */
public final class Shapes {
  private static final Op RESHAPE = Op.of("aten::reshape");
  private static final Op PERMUTE = Op.of("aten::permute");
  private static final Op TRANSPOSE = Op.of("aten::transpose.int");
  private static final Op UNSQUEEZE = Op.of("aten::unsqueeze");
  private static final Op EXPAND = Op.of("aten::expand");
  private static final Op REPEAT = Op.of("aten::repeat");
  private static final Op CAT = Op.of("aten::cat");
  private static final Op NARROW = Op.of("aten::narrow");
  private static final Op SLICE = Op.of("aten::slice.Tensor");
  private static final Op SELECT = Op.of("aten::select.int");
  private static final Op CHUNK = Op.of("aten::chunk");
  private static final Op UNBIND = Op.of("aten::unbind.int");
  private static final Op FLIP = Op.of("aten::flip");
  private static final Op ROLL = Op.of("aten::roll");
  private static final Op INDEX_SELECT = Op.of("aten::index_select");
  private static final Op GATHER = Op.of("aten::gather");
  private static final Op INDEX_COPY = Op.of("aten::index_copy");
  private static final Op CONTIGUOUS = Op.of("aten::contiguous");
  private static final Op TO_DTYPE = Op.of("aten::to.dtype");
  private static final Op CLONE = Op.of("aten::clone");
  private static final Op DETACH = Op.of("aten::detach");
  private static final Op COPY = Op.of("aten::copy_");

  private Shapes() {}

  /** A view (or copy, where none can be) of another shape; one size may be -1. */
  public static Tensor reshape(Tensor x, long... sizes) {
    return RESHAPE.args().t(x).ints(sizes).tensor();
  }

  /** The axes in another order, as a view. */
  public static Tensor permute(Tensor x, long... dims) {
    return PERMUTE.args().t(x).ints(dims).tensor();
  }

  /** Two axes swapped, as a view. */
  public static Tensor transpose(Tensor x, int dim0, int dim1) {
    return TRANSPOSE.args().t(x).i(dim0).i(dim1).tensor();
  }

  /** A new axis of size 1 before {@code dim}, as a view. */
  public static Tensor unsqueeze(Tensor x, int dim) {
    return UNSQUEEZE.args().t(x).i(dim).tensor();
  }

  /** Axes of size 1 stretched without a copy; -1 keeps a size. */
  public static Tensor expand(Tensor x, long... sizes) {
    return EXPAND.args().t(x).ints(sizes).b(false).tensor();
  }

  /** Copies side by side, {@code times[i]} along axis i. */
  public static Tensor repeat(Tensor x, long... times) {
    return REPEAT.args().t(x).ints(times).tensor();
  }

  /** Tensors joined along an axis that they have. */
  public static Tensor cat(List<Tensor> tensors, int dim) {
    return CAT.args().list(tensors).i(dim).tensor();
  }

  /** Elements [start, start + length) of an axis, as a view. */
  public static Tensor narrow(Tensor x, int dim, long start, long length) {
    return NARROW.args().t(x).i(dim).i(start).i(length).tensor();
  }

  /** Elements start, start + step, ... below end of an axis, as a view. */
  public static Tensor slice(Tensor x, int dim, long start, long end, long step) {
    return SLICE.args().t(x).i(dim).someInt(start).someInt(end).i(step).tensor();
  }

  /** One index of an axis, which goes, as a view. */
  public static Tensor select(Tensor x, int dim, long index) {
    return SELECT.args().t(x).i(dim).i(index).tensor();
  }

  /** An axis cut into {@code chunks} nearly equal views. */
  public static List<Tensor> chunk(Tensor x, int chunks, int dim) {
    return CHUNK.args().t(x).i(chunks).i(dim).tensorList();
  }

  /** Every index of an axis, which goes, as views. */
  public static List<Tensor> unbind(Tensor x, int dim) {
    return UNBIND.args().t(x).i(dim).tensorList();
  }

  /** A copy with axes reversed. */
  public static Tensor flip(Tensor x, long... dims) {
    return FLIP.args().t(x).ints(dims).tensor();
  }

  /** A copy shifted around its ends: element i of axis dims[k] moves to i + shifts[k]. */
  public static Tensor roll(Tensor x, long[] shifts, long[] dims) {
    return ROLL.args().t(x).ints(shifts).ints(dims).tensor();
  }

  /** The rows that an int64 vector names, along {@code dim}. */
  public static Tensor indexSelect(Tensor x, int dim, Tensor index) {
    return INDEX_SELECT.args().t(x).i(dim).t(index).tensor();
  }

  /** Element i along {@code dim} is x's element index[i] there; the result has index's shape. */
  public static Tensor gather(Tensor x, int dim, Tensor index) {
    return GATHER.args().t(x).i(dim).t(index).b(false).tensor();
  }

  /** A copy of x whose rows along {@code dim} that an int64 vector names are {@code rows}. */
  public static Tensor indexCopy(Tensor x, int dim, Tensor index, Tensor rows) {
    return INDEX_COPY.args().t(x).i(dim).t(index).t(rows).tensor();
  }

  /** The elements in row-major order without gaps; a further handle if they are already. */
  public static Tensor contiguous(Tensor x) {
    return contiguous(x, MemoryFormat.CONTIGUOUS);
  }

  /** The elements in {@code format}; a further handle if they are already. */
  public static Tensor contiguous(Tensor x, MemoryFormat format) {
    return CONTIGUOUS.args().t(x).i(format.code()).tensor();
  }

  /** A copy that shares nothing. */
  public static Tensor copy(Tensor x) {
    return CLONE.args().t(x).none().tensor();
  }

  /** The same elements, shared, outside any graph. */
  static Tensor detach(Tensor x) {
    return DETACH.args().t(x).tensor();
  }

  /** Another element type; a further handle if it has that type already. */
  public static Tensor to(Tensor x, DType dtype) {
    return TO_DTYPE.args().t(x).i(dtype.code()).b(false).b(false).none().tensor();
  }

  /** Another device; a further handle if it is there already. */
  public static Tensor to(Tensor x, Device device) {
    if (x.device().equals(device)) {
      return x.reshape(x.shape());
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
   * A copy on another device that is only begun: what is computed there afterwards waits for it,
   * the CPU does not. Out of memory that is not pinned it is an ordinary copy. The source must not
   * be changed before the device has caught up; it may be closed at once, as LibTorch keeps pinned
   * memory until the copy is done.
   */
  public static Tensor toAsync(Tensor x, Device device) {
    Tensor copy = Torch.empty(x.dtype(), device, x.shape());
    try {
      return COPY.args().t(copy).t(x).b(true).into(copy);
    } catch (RuntimeException e) {
      copy.close();
      throw e;
    }
  }
}
