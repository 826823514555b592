package org.relaydiffusion.torch;

/** Reductions over axes. */
public final class Reduction {
  private static final Operator SUM =
      Operator.of(
          "aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, "
              + "ScalarType? dtype=None) -> Tensor");
  private static final Operator MEAN =
      Operator.of(
          "aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, "
              + "ScalarType? dtype=None) -> Tensor");
  private static final Operator AMAX =
      Operator.of("aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor");
  private static final Operator AMIN =
      Operator.of("aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor");
  private static final Operator ARGMIN =
      Operator.of("aten::argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor");
  private static final Operator ALL = Operator.of("aten::all(Tensor self) -> Tensor");

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
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(keep, "keep");
    TorchException.requireNonNull(dims, "dims");
    return SUM.call().arg(x).arg(dims).arg(keep == KeepDim.YES).tensor();
  }

  /** The mean over {@code dims}. */
  public static Tensor mean(Tensor x, KeepDim keep, long... dims) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(keep, "keep");
    TorchException.requireNonNull(dims, "dims");
    return MEAN.call().arg(x).arg(dims).arg(keep == KeepDim.YES).tensor();
  }

  /** The largest element over {@code dims}; over everything when none is given. */
  public static Tensor amax(Tensor x, KeepDim keep, long... dims) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(keep, "keep");
    TorchException.requireNonNull(dims, "dims");
    return AMAX.call().arg(x).arg(dims).arg(keep == KeepDim.YES).tensor();
  }

  /** The smallest element over {@code dims}; over everything when none is given. */
  public static Tensor amin(Tensor x, KeepDim keep, long... dims) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(keep, "keep");
    TorchException.requireNonNull(dims, "dims");
    return AMIN.call().arg(x).arg(dims).arg(keep == KeepDim.YES).tensor();
  }

  /** The index (int64) of the smallest element along {@code dim}. */
  public static Tensor argmin(Tensor x, int dim, KeepDim keep) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(keep, "keep");
    return ARGMIN.call().arg(x).arg(dim).arg(keep == KeepDim.YES).tensor();
  }

  /** Whether every element is true, as a 0-dim bool. */
  public static Tensor all(Tensor x) {
    return ALL.apply(x);
  }
}
