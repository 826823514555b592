// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Parameter;

/** y = x W^T + b for [N, in] to [N, out]; always in its input's type. */
public final class Linear extends Layer {
  private final int inFeatures;
  private final Parameter weight;
  private final @Nullable Parameter bias;

  private Linear(int in, int out, WeightInit init, boolean withBias) {
    inFeatures = in;
    weight = parameter("weight", init.weight(in, out), out, in);
    bias = withBias ? parameter("bias", init.bias(in, out), out) : null;
  }

  /** A layer with a bias. */
  public static Linear of(int in, int out, WeightInit init) {
    return new Linear(in, out, init, true);
  }

  /** A layer without a bias. */
  public static Linear withoutBias(int in, int out, WeightInit init) {
    return new Linear(in, out, init, false);
  }

  /** The number of features that it takes. */
  public int inFeatures() {
    return inFeatures;
  }

  /** [N, in] to [N, out]. */
  public Tensor forward(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor w = weight.value().to(x.dtype());
      Tensor b = bias == null ? null : bias.value().to(x.dtype());
      if (execution() instanceof Execution.Prepared) {
        return observed(scope.keep(Functional.linear(x, w, b)));
      }
      Tensor y = LinearAlgebra.matmul(x, Shapes.transpose(w, 0, 1));
      return observed(scope.keep(b == null ? y : y.add(b)));
    }
  }

  /** W [out, in]. */
  Tensor plainWeight() {
    return weight.value();
  }

  /** b [out]; only of a layer that has one. */
  Tensor plainBias() {
    if (bias == null) {
      throw new IllegalStateException("this layer has no bias");
    }
    return bias.value();
  }

  /** Whether its values are here. */
  boolean isSet() {
    return weight.isSet();
  }

  /** Frees the values, which others contain from now on. */
  void giveUp() {
    weight.close();
    if (bias != null) {
      bias.close();
    }
  }
}
