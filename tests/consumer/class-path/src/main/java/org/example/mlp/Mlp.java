// SPDX-License-Identifier: Apache-2.0
package org.example.mlp;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Initializer;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/** A multilayer perceptron with one hidden layer of SiLU units. */
final class Mlp extends Module {
  private final Parameter hiddenWeight;
  private final Parameter hiddenBias;
  private final Parameter outputWeight;
  private final Parameter outputBias;

  Mlp(int inputs, int units, int outputs) {
    hiddenWeight = parameter("hidden.weight", normal(inputs), units, inputs);
    hiddenBias = parameter("hidden.bias", normal(inputs), units);
    outputWeight = parameter("output.weight", normal(units), outputs, units);
    outputBias = parameter("output.bias", normal(units), outputs);
  }

  private static Initializer normal(int fanIn) {
    double deviation = 1 / Math.sqrt(fanIn);
    return (generator, shape) -> generator.randn(DType.FLOAT32, shape).mul(deviation);
  }

  /** Maps [N, inputs] to [N, outputs]. */
  Tensor forward(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor hidden = Functional.linear(x, hiddenWeight.value(), hiddenBias.value()).silu();
      return scope.keep(Functional.linear(hidden, outputWeight.value(), outputBias.value()));
    }
  }
}
