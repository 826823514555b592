// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * Computes the Euclidean norm of all gradients of one step, as {@code
 * torch.nn.utils.clip_grad_norm_} does. Gradients are not modified, so the step is unchanged.
 * Reading the result synchronizes with the device, so it is computed once per tick.
 */
final class GradientNorm implements StepObserver {
  private final double lossScale;
  private double value = Double.NaN;

  /**
   * Creates a norm that has not been computed yet.
   *
   * @param lossScale the factor of the step's loss, which is removed from the norm
   */
  GradientNorm(double lossScale) {
    this.lossScale = lossScale;
  }

  /** Returns the norm; infinite or NaN if a gradient is, and NaN before the step. */
  double value() {
    return value;
  }

  @Override
  public void gradients(List<Parameter> parameters) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      List<Tensor> squares = new ArrayList<>();
      for (Parameter parameter : parameters) {
        Tensor gradient = parameter.value().grad();
        if (gradient != null) {
          squares.add(square(gradient));
        }
      }
      if (!squares.isEmpty()) {
        Tensor sum = Reduction.sum(Shapes.cat(squares, 0), Reduction.KeepDim.NO);
        value = Math.sqrt(sum.item()) / lossScale;
      }
    }
  }

  /** Returns the sum of squares [1], float64: squares of float32 could overflow. */
  private static Tensor square(Tensor gradient) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor wide = gradient.to(DType.FLOAT64);
      return scope.keep(Reduction.sum(wide.mul(wide), Reduction.KeepDim.NO).reshape(1));
    }
  }
}
