// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.amp;

import java.util.List;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * A factor on the loss, so that the derivatives of half-precision activations do not vanish.
 *
 * <p>A training step multiplies its loss by {@link #scale()}, goes backward in every accumulation
 * round, and asks {@link #unscale} once before the optimizer's step.
 */
public sealed interface LossScaler permits StaticLossScaler, DynamicLossScaler {
  /** The factor of the loss now. */
  double scale();

  /**
   * Ends a step's backward passes: takes the factor out of the gradients where that is this
   * scaler's way, and chooses the next factor.
   *
   * @param parameters whose gradients are complete, summed over the processes too: so all processes
   *     decide alike
   * @return whether the optimizer may use the gradients
   */
  boolean unscale(List<Parameter> parameters);

  /** What is needed to go on later. */
  State state();

  /**
   * Goes on from there.
   *
   * @throws org.relaydiffusion.OptionException when this scaler cannot have such a state
   */
  void restore(State state);

  /**
   * A scaler's memory.
   *
   * @param scale the factor of the loss
   * @param growthTracker how many steps in a row had finite gradients since the factor last changed
   */
  record State(double scale, int growthTracker) {}
}
