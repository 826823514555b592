// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;

/**
 * PyTorch's first values of parameters ({@code torch.nn.init}), float32 where the generator draws.
 */
public final class Initializers {
  private Initializers() {}

  /** {@code kaiming_uniform_(a=sqrt(5))}, as the weights of linear modules and convolutions. */
  public static Initializer kaimingUniform(long fanIn) {
    // The gain of a leaky ReLU with slope sqrt(5), in Python's order of operations.
    double slope = Math.sqrt(5);
    double gain = Math.sqrt(2.0 / (1 + slope * slope));
    return uniform(Math.sqrt(3.0) * (gain / Math.sqrt((double) fanIn)));
  }

  /** Uniform in +-1 / sqrt(fanIn), as their biases. */
  public static Initializer biasUniform(long fanIn) {
    return uniform(1 / Math.sqrt((double) fanIn));
  }

  /** Uniform in [-bound, bound), with the bits of {@code uniform_}. */
  public static Initializer uniform(double bound) {
    return (generator, shape) -> {
      TorchException.requireNonNull(generator, "generator");
      // uniform_ computes u (to - from) + from in float32, in one step as addcmul does.
      float from = (float) -bound;
      float width = (float) bound - from;
      try (TensorScope scope = TensorScope.open()) {
        Tensor drawn = generator.rand(DType.FLOAT32, shape);
        return scope.keep(
            Pointwise.addcmul(
                Torch.full(from, DType.FLOAT32, generator.device()),
                drawn,
                Torch.full(width, DType.FLOAT32, generator.device())));
      }
    };
  }

  /** Ones. */
  public static Initializer ones() {
    return (generator, shape) ->
        Torch.ones(
            DType.FLOAT32, TorchException.requireNonNull(generator, "generator").device(), shape);
  }

  /** Zeros. */
  public static Initializer zeros() {
    return (generator, shape) ->
        Torch.zeros(
            DType.FLOAT32, TorchException.requireNonNull(generator, "generator").device(), shape);
  }
}
