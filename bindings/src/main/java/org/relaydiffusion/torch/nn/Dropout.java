// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TorchException;

/**
 * In training mode, zeroes elements with probability p and scales the others by 1 / (1 - p) ({@code
 * torch.nn.Dropout}); in evaluation mode it returns its input. Draws from the device's default
 * generator.
 */
public final class Dropout extends UnaryModule {
  private final double p;

  /**
   * Makes the module.
   *
   * @param p the probability, in [0, 1]
   * @throws TorchException when it is none
   */
  public Dropout(double p) {
    if (!(p >= 0 && p <= 1)) {
      throw new TorchException("a probability lies in [0, 1], not " + p);
    }
    this.p = p;
  }

  /** [...] to the same. */
  @Override
  public Tensor forward(Tensor x) {
    TorchException.requireNonNull(x, "x");
    return observed(isTraining() ? Functional.dropout(x, p) : x);
  }
}
