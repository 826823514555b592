// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import org.relaydiffusion.OptionException;

/**
 * The constants of Adam (arXiv 1412.6980).
 *
 * @param beta1 the share of the past in the running mean of gradients, in [0, 1)
 * @param beta2 the share of the past in the running mean of their squares, in [0, 1)
 * @param eps added to the root of the latter, 0 or more
 */
public record AdamOptions(double beta1, double beta2, double eps) {
  /** PyTorch's defaults. */
  public static final AdamOptions DEFAULT = new AdamOptions(0.9, 0.999, 1e-8);

  /**
   * Checks the ranges.
   *
   * @throws OptionException when a constant is outside its range
   */
  public AdamOptions {
    requireShare("beta1", beta1);
    requireShare("beta2", beta2);
    if (!(eps >= 0) || Double.isInfinite(eps)) {
      throw new OptionException("Adam's eps is 0 or more, not " + eps);
    }
  }

  private static void requireShare(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new OptionException("Adam's %s lies in [0, 1), not %s".formatted(name, value));
    }
  }
}
