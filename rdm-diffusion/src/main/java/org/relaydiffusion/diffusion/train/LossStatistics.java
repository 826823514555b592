package org.relaydiffusion.diffusion.train;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The moments of every pixel's loss since they were last asked for. They stay on the device until
 * then, so that counting waits for nothing.
 */
final class LossStatistics implements AutoCloseable {
  private double count;
  private @Nullable Tensor sums;

  /** Counts a round's loss [N, C, H, W]; records no gradient. */
  void add(Tensor loss) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor values = loss.detach().to(DType.FLOAT32);
      Tensor two =
          Shapes.cat(
              List.of(
                  Reduction.sum(values, Reduction.KeepDim.NO).to(DType.FLOAT64).reshape(1),
                  Reduction.sum(values.mul(values), Reduction.KeepDim.NO)
                      .to(DType.FLOAT64)
                      .reshape(1)),
              0);
      Tensor before = sums;
      Tensor total = before == null ? two : before.add(two);
      sums = scope.keep(total).release();
      if (before != null) {
        before.close();
      }
      count += values.numel();
    }
  }

  /** What has been counted in this process; begins anew. */
  Moments take() {
    Tensor counted = sums;
    if (counted == null) {
      return Moments.NONE;
    }
    double[] two = counted.toDoubles();
    Moments moments = new Moments(count, two[0], two[1]);
    close();
    return moments;
  }

  @Override
  public void close() {
    if (sums != null) {
      sums.close();
      sums = null;
    }
    count = 0;
  }
}
