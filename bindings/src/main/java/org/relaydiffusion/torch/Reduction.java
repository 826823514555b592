package org.relaydiffusion.torch;

/** Reductions over axes. */
public final class Reduction {
  private static final Op SUM = Op.of("aten::sum.dim_IntList");
  private static final Op MEAN = Op.of("aten::mean.dim");
  private static final Op AMAX = Op.of("aten::amax");
  private static final Op AMIN = Op.of("aten::amin");
  private static final Op ARGMIN = Op.of("aten::argmin");
  private static final Op ALL = Op.of("aten::all");

  /** Whether a reduced axis stays, with size 1. */
  public enum KeepDim {
    /** The axis stays with size 1. */
    YES,
    /** The axis goes. */
    NO
  }

  private Reduction() {}

  /** The sum over {@code dims}. */
  public static Tensor sum(Tensor x, KeepDim keep, long... dims) {
    return SUM.args().t(x).someInts(dims).b(keep == KeepDim.YES).none().tensor();
  }

  /** The mean over {@code dims}. */
  public static Tensor mean(Tensor x, KeepDim keep, long... dims) {
    return MEAN.args().t(x).someInts(dims).b(keep == KeepDim.YES).none().tensor();
  }

  /** The largest element over {@code dims}; over everything when none is given. */
  public static Tensor amax(Tensor x, KeepDim keep, long... dims) {
    return AMAX.args().t(x).ints(dims).b(keep == KeepDim.YES).tensor();
  }

  /** The smallest element over {@code dims}; over everything when none is given. */
  public static Tensor amin(Tensor x, KeepDim keep, long... dims) {
    return AMIN.args().t(x).ints(dims).b(keep == KeepDim.YES).tensor();
  }

  /** The index (int64) of the smallest element along {@code dim}. */
  public static Tensor argmin(Tensor x, int dim, KeepDim keep) {
    return ARGMIN.args().t(x).someInt(dim).b(keep == KeepDim.YES).tensor();
  }

  /** Whether every element is true, as a 0-dim bool. */
  public static Tensor all(Tensor x) {
    return ALL.args().t(x).tensor();
  }
}
