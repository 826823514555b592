// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.TorchException;

/**
 * The constants of AdamW (arXiv 1711.05101).
 *
 * @param adam those that it shares with Adam
 * @param weightDecay the share of a parameter that a step of learning rate 1 takes away, 0 or more
 */
public record AdamWOptions(AdamOptions adam, double weightDecay) {
  /** PyTorch's defaults: Adam's, and a weight decay of 0.01. */
  public static final AdamWOptions DEFAULT = new AdamWOptions(AdamOptions.DEFAULT, 0.01);

  /**
   * Checks the range.
   *
   * @throws OptionException when the weight decay is negative or not finite
   */
  public AdamWOptions {
    TorchException.requireNonNull(adam, "adam");
    if (!(weightDecay >= 0) || Double.isInfinite(weightDecay)) {
      throw new OptionException("AdamW's weight decay is 0 or more, not " + weightDecay);
    }
  }
}
