// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.amp;

import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * A constant factor, which stays in the gradients: Adam's step hardly depends on it, and
 * derivatives that overflow are replaced, not skipped. This is EDM's {@code --ls}.
 *
 * @param scale finite, more than 0; 1 for none
 */
public record StaticLossScaler(double scale) implements LossScaler {
  /**
   * Checks the factor.
   *
   * @throws OptionException when it is not a positive number
   */
  public StaticLossScaler {
    if (!(scale > 0) || Double.isInfinite(scale)) {
      throw new OptionException("a loss scale is more than 0, not " + scale);
    }
  }

  /** Changes nothing; the optimizer always goes on. */
  @Override
  public boolean unscale(List<Parameter> parameters) {
    TorchException.requireNoNulls(parameters, "parameters");
    return true;
  }

  @Override
  public State state() {
    return new State(scale, 0);
  }

  /** Changes nothing: the factor is an option, not a memory. */
  @Override
  public void restore(State state) {
    TorchException.requireNonNull(state, "state");
  }
}
