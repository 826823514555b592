// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.stream.LongStream;

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

  private static final Operator SUM_OF_ALL =
      Operator.of("aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor");
  private static final Operator MEAN_OF_ALL =
      Operator.of("aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor");
  private static final Operator ARGMAX =
      Operator.of("aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor");
  private static final Operator ANY = Operator.of("aten::any(Tensor self) -> Tensor");
  private static final Operator VAR =
      Operator.of(
          "aten::var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) "
              + "-> Tensor");
  private static final Operator STD =
      Operator.of(
          "aten::std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) "
              + "-> Tensor");
  private static final Operator LOGSUMEXP =
      Operator.of("aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor");
  private static final Operator CUMSUM =
      Operator.of("aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor");

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

  /** The sum of all elements, 0-dim; int64 for integers. */
  public static Tensor sum(Tensor x) {
    return SUM_OF_ALL.apply(x);
  }

  /** The mean of all elements of a floating tensor, 0-dim. */
  public static Tensor mean(Tensor x) {
    return MEAN_OF_ALL.apply(x);
  }

  /** The index (int64) of the largest element along {@code dim}. */
  public static Tensor argmax(Tensor x, int dim, KeepDim keep) {
    TorchException.requireNonNull(keep, "keep");
    return ARGMAX.call().arg(x).arg(dim).arg(keep == KeepDim.YES).tensor();
  }

  /** The index (int64) of the largest of all elements in row-major order, 0-dim. */
  public static Tensor argmax(Tensor x) {
    return ARGMAX.apply(x);
  }

  /** Whether one element is true, as a 0-dim bool. */
  public static Tensor any(Tensor x) {
    return ANY.apply(x);
  }

  /** What squared deviations are divided by. */
  public enum Correction {
    /** One less than the number of elements: an estimate from a sample ({@code correction=1}). */
    BESSEL,
    /** The number of elements ({@code correction=0}). */
    NONE
  }

  /** The variance over {@code dims} (over everything when none is given), Bessel's. */
  public static Tensor var(Tensor x, KeepDim keep, long... dims) {
    return var(x, Correction.BESSEL, keep, dims);
  }

  /** The variance over {@code dims}; over everything when none is given. */
  public static Tensor var(Tensor x, Correction correction, KeepDim keep, long... dims) {
    return spread(VAR, x, correction, keep, dims);
  }

  /** The standard deviation over {@code dims} (over everything when none is given), Bessel's. */
  public static Tensor std(Tensor x, KeepDim keep, long... dims) {
    return std(x, Correction.BESSEL, keep, dims);
  }

  /** The standard deviation over {@code dims}; over everything when none is given. */
  public static Tensor std(Tensor x, Correction correction, KeepDim keep, long... dims) {
    return spread(STD, x, correction, keep, dims);
  }

  private static Tensor spread(
      Operator operator, Tensor x, Correction correction, KeepDim keep, long... dims) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(correction, "correction");
    TorchException.requireNonNull(keep, "keep");
    TorchException.requireNonNull(dims, "dims");
    OperatorCall call = operator.call().arg(x);
    // None means all axes. For an empty list LibTorch's derivative divides by zero.
    OperatorCall over = dims.length == 0 ? call.none() : call.arg(dims);
    return over.arg(correction == Correction.BESSEL).arg(keep == KeepDim.YES).tensor();
  }

  /**
   * {@code log(sum(e^x))} over {@code dims}, without overflow; over everything when none is given.
   */
  public static Tensor logsumexp(Tensor x, KeepDim keep, long... dims) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(keep, "keep");
    TorchException.requireNonNull(dims, "dims");
    long[] reduced = dims.length == 0 ? LongStream.range(0, x.rank()).toArray() : dims;
    return LOGSUMEXP.call().arg(x).arg(reduced).arg(keep == KeepDim.YES).tensor();
  }

  /** The sums of the elements up to each, along {@code dim}; int64 for integers. */
  public static Tensor cumsum(Tensor x, int dim) {
    return CUMSUM.call().arg(x).arg(dim).tensor();
  }
}
