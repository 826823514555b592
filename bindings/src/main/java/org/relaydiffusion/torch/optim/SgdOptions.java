// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.TorchException;

/**
 * The constants of stochastic gradient descent: {@code SgdOptions.DEFAULT.withMomentum(0.9)}.
 *
 * @param momentum the share of the last step's direction that is kept, 0 or more
 * @param dampening the share of a gradient that is left out of the momentum
 * @param weightDecay the multiple of a parameter that is added to its gradient, 0 or more
 * @param kind the direction in which a step goes
 */
public record SgdOptions(double momentum, double dampening, double weightDecay, Kind kind) {
  /** Where a step goes once its momentum is known. */
  public enum Kind {
    /** In the direction of the momentum. */
    CLASSICAL,
    /** A momentum ahead of it, as Nesterov proposed. */
    NESTEROV
  }

  /** PyTorch's defaults: plain gradient descent. */
  public static final SgdOptions DEFAULT = new SgdOptions(0, 0, 0, Kind.CLASSICAL);

  /**
   * Checks the ranges.
   *
   * @throws OptionException when a constant is outside its range, or Nesterov's kind has no
   *     momentum or is dampened
   */
  public SgdOptions {
    TorchException.requireNonNull(kind, "kind");
    requireNotNegative("momentum", momentum);
    requireNotNegative("weight decay", weightDecay);
    if (!Double.isFinite(dampening)) {
      throw new OptionException("SGD's dampening is a number, not " + dampening);
    }
    if (kind == Kind.NESTEROV && !(momentum > 0 && dampening == 0)) {
      throw new OptionException(
          "Nesterov's momentum needs a momentum above 0 and no dampening, not %s and %s"
              .formatted(momentum, dampening));
    }
  }

  private static void requireNotNegative(String name, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new OptionException("SGD's %s is 0 or more, not %s".formatted(name, value));
    }
  }

  /** With another momentum. */
  public SgdOptions withMomentum(double momentum) {
    return new SgdOptions(momentum, dampening, weightDecay, kind);
  }

  /** With another weight decay. */
  public SgdOptions withWeightDecay(double weightDecay) {
    return new SgdOptions(momentum, dampening, weightDecay, kind);
  }

  /** With another dampening. */
  public SgdOptions withDampening(double dampening) {
    return new SgdOptions(momentum, dampening, weightDecay, kind);
  }

  /** With Nesterov's momentum. */
  public SgdOptions withNesterov() {
    return new SgdOptions(momentum, dampening, weightDecay, Kind.NESTEROV);
  }
}
