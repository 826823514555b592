// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.TorchException;

/**
 * Modules one after another ({@code torch.nn.Sequential}), named 0, 1, 2 and so on:
 *
 * <pre>{@code
 * var network =
 *     new Sequential(Linear.of(2, 16), Activation.tanh(), Linear.of(16, 1));
 * try (Generator generator = Generator.seeded(0)) {
 *   network.initialize(generator);
 * }
 * }</pre>
 *
 * <p>Intermediate tensors are closed; a recorded graph keeps what its backward pass needs.
 */
public final class Sequential extends UnaryModule {
  private final List<UnaryModule> parts;

  /**
   * Chains modules.
   *
   * @param parts from now on this module's, which closes them
   */
  public Sequential(UnaryModule... parts) {
    TorchException.requireNonNull(parts, "parts");
    this.parts = List.copyOf(TorchException.requireNoNulls(Arrays.asList(parts), "parts"));
    for (int i = 0; i < parts.length; i++) {
      child(Integer.toString(i), parts[i]);
    }
  }

  /** The modules, in their order. */
  public List<UnaryModule> parts() {
    return parts;
  }

  @Override
  public Tensor forward(Tensor x) {
    TorchException.requireNonNull(x, "x");
    try (TensorScope scope = TensorScope.open()) {
      Tensor y = x;
      for (UnaryModule part : parts) {
        y = part.forward(y);
      }
      return observed(scope.keep(y));
    }
  }
}
