// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Foreach;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Parameter;

/** Work on the gradients of many parameters; those without a gradient are passed over. */
public final class Gradients {
  /** What stands in for an infinite derivative. */
  private static final double LARGE = 1e5;

  private Gradients() {}

  /**
   * NaN becomes 0, +Inf 1e5 and -Inf -1e5; finite derivatives stay, however large. On CUDA the
   * gradients become parts of few tensors.
   */
  public static void replaceNonFinite(List<Parameter> parameters) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      List<Tensor> grads = of(parameters);
      // A copy of all and a kernel for all are few launches, a kernel for each is hundreds.
      boolean gathers = grads.stream().allMatch(g -> g.device().type() == Device.Type.CUDA);
      if (gathers) {
        // What was gathered is freed before the next gradients are.
        grads.forEach(Tensor::close);
      }
      (gathers ? GatheredGradients.of(parameters) : grads)
          .forEach(grad -> Pointwise.nanToNumInPlace(grad, 0, LARGE, -LARGE));
    }
  }

  /** Whether no derivative is infinite or NaN. */
  public static boolean areFinite(List<Parameter> parameters) {
    return unscale(parameters, 1);
  }

  /**
   * Multiplies every gradient by {@code factor}.
   *
   * @return whether all derivatives were finite before
   */
  public static boolean unscale(List<Parameter> parameters, double factor) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      return Foreach.unscaleInPlace(of(parameters), factor);
    }
  }

  /** The gradients there are, the current scope's. */
  private static List<Tensor> of(List<Parameter> parameters) {
    TorchException.requireNoNulls(parameters, "parameters");
    List<Tensor> grads = new ArrayList<>();
    for (Parameter p : parameters) {
      Tensor grad = p.value().grad();
      if (grad != null) {
        grads.add(grad);
      }
    }
    return grads;
  }
}
