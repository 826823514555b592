// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TorchException;

/**
 * A table of vectors, looked up by their numbers ({@code torch.nn.Embedding}): weight [count,
 * features], which begins standard normal.
 */
public final class Embedding extends UnaryModule {
  private final Parameter weight;

  /**
   * Makes the module.
   *
   * @param count how many vectors there are
   * @param features of each
   * @throws TorchException when one of them is below 1
   */
  public Embedding(int count, int features) {
    if (count < 1 || features < 1) {
      throw new TorchException(
          "an embedding has vectors with features, not %s and %s".formatted(count, features));
    }
    weight = parameter("weight", (g, shape) -> g.randn(DType.FLOAT32, shape), count, features);
  }

  /** The table, [count, features]. */
  public Parameter weight() {
    return weight;
  }

  /** The rows [..., features] of int64 indices [...] from 0 to count - 1. */
  @Override
  public Tensor forward(Tensor numbers) {
    return observed(Functional.embedding(weight.value(), numbers));
  }
}
