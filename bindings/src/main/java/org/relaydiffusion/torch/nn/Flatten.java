// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TorchException;

/** Joins all axes but the first ({@code torch.nn.Flatten}): [N, ...] to [N, the rest's product]. */
public final class Flatten extends UnaryModule {
  /** Makes the module. */
  public Flatten() {}

  @Override
  public Tensor forward(Tensor x) {
    return observed(TorchException.requireNonNull(x, "x").flatten(1));
  }
}
