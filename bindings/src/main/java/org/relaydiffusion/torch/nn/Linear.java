// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TorchException;

/**
 * {@code x weight^T + bias} ({@code torch.nn.Linear}): weight [out, in] and bias [out], which begin
 * uniform in +-1 / sqrt(in).
 */
public final class Linear extends UnaryModule {
  private final Parameter weight;
  private final @Nullable Parameter bias;

  private Linear(int in, int out, Bias added) {
    if (in < 1 || out < 1) {
      throw new TorchException("a linear module has features, not %s and %s".formatted(in, out));
    }
    weight = parameter("weight", Initializers.kaimingUniform(in), out, in);
    bias = added == Bias.ADDED ? parameter("bias", Initializers.biasUniform(in), out) : null;
  }

  /**
   * With a bias.
   *
   * @param in features of the input
   * @param out features of the output
   * @throws TorchException when one of them is below 1
   */
  public static Linear of(int in, int out) {
    return new Linear(in, out, Bias.ADDED);
  }

  /** Without a bias; otherwise as {@link #of}. */
  public static Linear withoutBias(int in, int out) {
    return new Linear(in, out, Bias.NONE);
  }

  /** The weight, [out, in]. */
  public Parameter weight() {
    return weight;
  }

  /** The bias, [out], or null. */
  public @Nullable Parameter bias() {
    return bias;
  }

  /** [..., in] to [..., out]. */
  @Override
  public Tensor forward(Tensor x) {
    return observed(Functional.linear(x, weight.value(), bias == null ? null : bias.value()));
  }
}
