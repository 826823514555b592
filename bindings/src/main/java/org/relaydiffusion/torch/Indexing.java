// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Python's {@code x[...]}, in the same steps: views first, then what tensors name. */
final class Indexing {
  private static final Operator INDEX =
      Operator.of("aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor");
  private static final Operator INDEX_PUT_ =
      Operator.of(
          "aten::index_put_(Tensor(a!) self, Tensor?[] indices, Tensor values, "
              + "bool accumulate=False) -> Tensor(a!)");
  private static final Operator ALIAS = Operator.of("aten::alias(Tensor(a) self) -> Tensor(a)");

  private Tensor view;
  private int axis;

  /** What tensors name, axis by axis of the view. */
  private final List<@Nullable Tensor> named = new ArrayList<>();

  private Indexing(Tensor x) {
    view = x;
  }

  static Tensor get(Tensor x, Index... indices) {
    try (TensorScope scope = TensorScope.open()) {
      Indexing chosen = choose(x, indices);
      return scope.keep(
          chosen.namesAny()
              ? INDEX.call().arg(chosen.view).arg(chosen.named).tensor()
              : ALIAS.apply(chosen.view));
    }
  }

  static void put(Tensor x, Tensor value, Index... indices) {
    TorchException.requireNonNull(value, "value");
    try (TensorScope _ = TensorScope.open()) {
      Indexing chosen = choose(x, indices);
      if (chosen.namesAny()) {
        Tensor converted = value.to(x.device()).to(x.dtype());
        INDEX_PUT_.call().arg(chosen.view).arg(chosen.named).arg(converted).tensor();
      } else {
        chosen.view.copyFrom(value);
      }
    }
  }

  private boolean namesAny() {
    return named.stream().anyMatch(Objects::nonNull);
  }

  private static Indexing choose(Tensor x, Index... indices) {
    TorchException.requireNonNull(x, "x");
    TorchException.requireNonNull(indices, "indices");
    int taken = 0;
    int rests = 0;
    for (Index index : indices) {
      TorchException.requireNonNull(index, "an index");
      taken += axes(index);
      rests += index instanceof Index.Rest ? 1 : 0;
    }
    if (taken > x.rank() || rests > 1) {
      throw new TorchException(
          rests > 1
              ? "only one index can be the rest of the axes"
              : "%s has %s axes, but the indices take %s".formatted(x.describe(), x.rank(), taken));
    }
    Indexing chosen = new Indexing(x);
    for (Index index : indices) {
      chosen.take(index, x.rank() - taken);
    }
    return chosen;
  }

  /** How many axes of the tensor an index is about. */
  private static int axes(Index index) {
    return switch (index) {
      case Index.At _, Index.Range _ -> 1;
      case Index.NewAxis _, Index.Rest _ -> 0;
      case Index.Of(Tensor t) -> isMask(t) ? t.rank() : 1;
    };
  }

  private static boolean isMask(Tensor indices) {
    return indices.dtype() == DType.BOOL;
  }

  private void take(Index index, int rest) {
    switch (index) {
      case Index.At(long i) -> view = Shapes.select(view, axis, i);
      case Index.Range(long start, long end, long step) -> {
        view = Shapes.slice(view, axis, start, end, step);
        pass(1);
      }
      case Index.NewAxis _ -> {
        view = Shapes.unsqueeze(view, axis);
        pass(1);
      }
      case Index.Rest _ -> pass(rest);
      case Index.Of(Tensor t) -> {
        named.add(t);
        axis += axes(index);
      }
    }
  }

  private void pass(int axes) {
    for (int i = 0; i < axes; i++) {
      named.add(null);
    }
    axis += axes;
  }
}
