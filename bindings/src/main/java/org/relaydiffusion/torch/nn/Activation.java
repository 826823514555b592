// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import java.util.function.UnaryOperator;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TorchException;

/** A function without parameters as a module: {@code torch.nn.ReLU} and the like. */
public final class Activation extends UnaryModule {
  private final UnaryOperator<Tensor> function;

  private Activation(UnaryOperator<Tensor> function) {
    this.function = TorchException.requireNonNull(function, "function");
  }

  /** Any function of one tensor, e.g. {@code Activation.of(x -> x.mul(0.5))}. */
  public static Activation of(UnaryOperator<Tensor> function) {
    return new Activation(function);
  }

  /** {@code max(x, 0)}. */
  public static Activation relu() {
    return of(Pointwise::relu);
  }

  /** The hyperbolic tangent. */
  public static Activation tanh() {
    return of(Pointwise::tanh);
  }

  /** {@code 1 / (1 + e^-x)}. */
  public static Activation sigmoid() {
    return of(Pointwise::sigmoid);
  }

  /** {@code x sigmoid(x)}. */
  public static Activation silu() {
    return of(Pointwise::silu);
  }

  /** {@code x Phi(x)}, with the normal distribution's Phi. */
  public static Activation gelu() {
    return of(Pointwise::gelu);
  }

  /** Softmax along one axis. */
  public static Activation softmax(int dim) {
    return of(x -> Functional.softmax(x, dim));
  }

  /** [...] to the same, unless the function says otherwise. */
  @Override
  public Tensor forward(Tensor x) {
    return observed(function.apply(x));
  }
}
