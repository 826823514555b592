// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.torch.Reduction.KeepDim;

/** Norms of vectors ({@code torch.linalg.vector_norm}). */
public final class Norms {
  // linalg_vector_norm takes its order as a Scalar. This one is its order 2, over two axes at most.
  private static final Operator FROBENIUS =
      Operator.of(
          "aten::frobenius_norm.dim(Tensor self, int[1] dim, bool keepdim=False) -> Tensor");
  private static final int FROBENIUS_AXES = 2;

  private Norms() {}

  /** The root of the sum of all squares, 0-dim. */
  public static Tensor norm(Tensor x) {
    return norm(x, KeepDim.NO);
  }

  /** The root of the sum of squares over {@code dims}; over everything when none is given. */
  public static Tensor norm(Tensor x, KeepDim keep, long... dims) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(keep, "keep");
    TorchException.requireNonNull(dims, "dims");
    if (dims.length > 0 && dims.length <= FROBENIUS_AXES) {
      return FROBENIUS.call().arg(x).arg(dims).arg(keep == KeepDim.YES).tensor();
    }
    try (TensorScope scope = TensorScope.open()) {
      return scope.keep(ofOneAxis(x, keep, dims));
    }
  }

  /** Flattens the reduced axes into a last one. */
  private static Tensor ofOneAxis(Tensor x, KeepDim keep, long... dims) {
    boolean[] goes = new boolean[x.rank()];
    Arrays.fill(goes, dims.length == 0);
    for (long dim : dims) {
      long axis = dim < 0 ? dim + goes.length : dim;
      if (axis < 0 || axis >= goes.length || goes[(int) axis]) {
        throw new TorchException(
            "no norm of %s over the axes %s".formatted(x.describe(), Arrays.toString(dims)));
      }
      goes[(int) axis] = true;
    }
    List<Integer> order = new ArrayList<>();
    List<Long> kept = new ArrayList<>();
    List<Long> result = new ArrayList<>();
    long joined = 1;
    for (int i = 0; i < goes.length; i++) {
      if (!goes[i]) {
        order.add(i);
        kept.add(x.size(i));
        result.add(x.size(i));
      } else {
        joined *= x.size(i);
        if (keep == KeepDim.YES) {
          result.add(1L);
        }
      }
    }
    for (int i = 0; i < goes.length; i++) {
      if (goes[i]) {
        order.add(i);
      }
    }
    kept.add(joined);
    Tensor rows =
        Shapes.permute(x, order.stream().mapToLong(Integer::longValue).toArray())
            .reshape(longs(kept));
    return FROBENIUS.call().arg(rows).arg(new long[] {-1}).tensor().reshape(longs(result));
  }

  private static long[] longs(List<Long> values) {
    return values.stream().mapToLong(Long::longValue).toArray();
  }

  /**
   * The norm of an order over {@code dims} (over everything when none is given): {@code sum(|x|^p)
   * ^(1/p)}, the largest or smallest |x| where p is infinite, the number of elements that are not 0
   * where it is 0.
   */
  public static Tensor norm(Tensor x, double p, KeepDim keep, long... dims) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(keep, "keep");
    TorchException.requireNonNull(dims, "dims");
    if (p == 2) {
      return norm(x, keep, dims);
    }
    try (TensorScope scope = TensorScope.open()) {
      if (p == 0) {
        Tensor counted = Comparison.ne(x, Torch.full(0, x.dtype(), x.device())).to(x.dtype());
        return scope.keep(Reduction.sum(counted, keep, dims));
      }
      Tensor sizes = Pointwise.abs(x);
      if (Double.isInfinite(p)) {
        return scope.keep(
            p > 0 ? Reduction.amax(sizes, keep, dims) : Reduction.amin(sizes, keep, dims));
      }
      if (p == 1) {
        return scope.keep(Reduction.sum(sizes, keep, dims));
      }
      if (p > 0 && Autograd.records(x)) {
        Tensor sums = Reduction.sum(powWithZeros(sizes, p), keep, dims);
        return scope.keep(powWithZeros(sums, 1 / p));
      }
      Tensor sums = Reduction.sum(Pointwise.pow(sizes, p), keep, dims);
      return scope.keep(Pointwise.pow(sums, 1 / p));
    }
  }

  /** {@code x^p}, whose derivative at 0 is 0 as that of PyTorch's norms, not infinite. */
  private static Tensor powWithZeros(Tensor x, double p) {
    Tensor zero = Torch.full(0, x.dtype(), x.device());
    Tensor isZero = Comparison.eq(x, zero);
    Tensor base = Pointwise.where(isZero, Torch.full(1, x.dtype(), x.device()), x);
    return Pointwise.where(isZero, zero, Pointwise.pow(base, p));
  }
}
