// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Comparison;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The moments of the per-pixel losses since they were last read, and the number of rounds whose
 * loss was not finite. They are accumulated on the device, so that training does not wait for them.
 */
final class LossStatistics implements AutoCloseable {
  /**
   * The accumulated values.
   *
   * @param moments of the per-pixel losses
   * @param rounds number of losses, one per round
   * @param nonFinite number of these that were infinite or NaN
   */
  record Counted(Moments moments, double rounds, double nonFinite) {
    private static final Counted NOTHING = new Counted(Moments.NONE, 0, 0);
  }

  private double count;
  private double rounds;
  private @Nullable Tensor sums;

  /** Adds a round's loss [N, C, H, W]; records no gradient. */
  void add(Tensor loss) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor values = loss.detach().to(DType.FLOAT32);
      Tensor sum = Reduction.sum(values, Reduction.KeepDim.NO);
      Tensor three =
          Shapes.cat(
              List.of(
                  sum.to(DType.FLOAT64).reshape(1),
                  Reduction.sum(values.mul(values), Reduction.KeepDim.NO)
                      .to(DType.FLOAT64)
                      .reshape(1),
                  Comparison.isFinite(sum).to(DType.FLOAT64).reshape(1)),
              0);
      Tensor before = sums;
      Tensor total = before == null ? three : before.add(three);
      sums = scope.keep(total).release();
      if (before != null) {
        before.close();
      }
      count += values.numel();
      rounds++;
    }
  }

  /** Returns the values of this process, and resets them. */
  Counted take() {
    Counted counted = peek();
    close();
    return counted;
  }

  /** Returns the values as {@link #take}, without resetting them. */
  Counted peek() {
    Tensor counted = sums;
    if (counted == null) {
      return Counted.NOTHING;
    }
    double[] three = counted.toDoubles();
    return new Counted(new Moments(count, three[0], three[1]), rounds, rounds - three[2]);
  }

  @Override
  public void close() {
    if (sums != null) {
      sums.close();
      sums = null;
    }
    count = 0;
    rounds = 0;
  }
}
