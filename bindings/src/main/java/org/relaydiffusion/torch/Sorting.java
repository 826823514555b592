// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.List;
import org.relaydiffusion.torch.Reduction.KeepDim;

/** The order of elements along an axis: sorting, the largest and the smallest. */
public final class Sorting {
  private static final Operator TOPK =
      Operator.of(
          "aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) "
              + "-> (Tensor values, Tensor indices)");
  private static final Operator SORT =
      Operator.of(
          "aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) "
              + "-> (Tensor values, Tensor indices)");
  private static final Operator MAX =
      Operator.of(
          "aten::max.dim(Tensor self, int dim, bool keepdim=False) "
              + "-> (Tensor values, Tensor indices)");
  private static final Operator MIN =
      Operator.of(
          "aten::min.dim(Tensor self, int dim, bool keepdim=False) "
              + "-> (Tensor values, Tensor indices)");

  /** Which elements come first. */
  public enum Order {
    /** The largest. */
    DESCENDING,
    /** The smallest. */
    ASCENDING
  }

  /**
   * Elements and where they were. Both tensors are the current scope's.
   *
   * @param values of the operand's type
   * @param indices int64, along the axis
   */
  public record Ranked(Tensor values, Tensor indices) {
    /** Refuses null. */
    public Ranked {
      TorchException.requireNonNull(values, "values");
      TorchException.requireNonNull(indices, "indices");
    }

    static Ranked of(List<Tensor> results) {
      return new Ranked(results.get(0), results.get(1));
    }
  }

  private Sorting() {}

  /** The k largest elements along {@code dim}, the largest first. NaN is larger than all. */
  public static Ranked topk(Tensor x, long k, int dim) {
    return topk(x, k, dim, Order.DESCENDING);
  }

  /** The k elements along {@code dim} that come first in an order, in that order. */
  public static Ranked topk(Tensor x, long k, int dim, Order order) {
    TorchException.requireNonNull(order, "order");
    return Ranked.of(TOPK.call().arg(x).arg(k).arg(dim).arg(order == Order.DESCENDING).tensors());
  }

  /** All elements along {@code dim} in an order; equal ones keep theirs. NaN is larger than all. */
  public static Ranked sort(Tensor x, int dim, Order order) {
    TorchException.requireNonNull(order, "order");
    return Ranked.of(
        SORT.call().arg(x).arg(true).arg(dim).arg(order == Order.DESCENDING).tensors());
  }

  /** The largest element along {@code dim} and where it is; one of several equal ones. */
  public static Ranked max(Tensor x, int dim, KeepDim keep) {
    TorchException.requireNonNull(keep, "keep");
    return Ranked.of(MAX.call().arg(x).arg(dim).arg(keep == KeepDim.YES).tensors());
  }

  /** The smallest element along {@code dim} and where it is; one of several equal ones. */
  public static Ranked min(Tensor x, int dim, KeepDim keep) {
    TorchException.requireNonNull(keep, "keep");
    return Ranked.of(MIN.call().arg(x).arg(dim).arg(keep == KeepDim.YES).tensors());
  }
}
