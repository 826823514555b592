// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.guidance;

import org.relaydiffusion.OptionException;

/**
 * The guidance of one stage.
 *
 * @param scale cfg_scale, the weight w of the conditional prediction, or of the stronger network if
 *     the stage has a guide network; 1 or less means no guidance
 * @param interval the noise levels at which guidance is active
 */
public record GuidanceOptions(double scale, GuidanceInterval interval) {
  /** No guidance. */
  public static final GuidanceOptions NONE = new GuidanceOptions(1, GuidanceInterval.ALL);

  /**
   * Checks the scale.
   *
   * @throws OptionException if it is negative or not finite
   */
  public GuidanceOptions {
    if (!(scale >= 0) || Double.isInfinite(scale)) {
      throw new OptionException("cfg_scale must be a finite number of at least 0, but is " + scale);
    }
  }

  /** Returns guidance of this scale at all noise levels. */
  public static GuidanceOptions scale(double scale) {
    return new GuidanceOptions(scale, GuidanceInterval.ALL);
  }

  /** Returns whether there is any guidance. */
  public boolean isActive() {
    return scale > 1;
  }
}
