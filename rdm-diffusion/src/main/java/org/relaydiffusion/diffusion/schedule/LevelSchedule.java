// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.schedule;

import org.relaydiffusion.OptionException;

/** How the noise levels of a stage are spaced between the highest and the lowest. */
public sealed interface LevelSchedule {
  /** The schedule of the reference. */
  LevelSchedule KARRAS = new Karras();

  /** Evenly spaced in {@code sigma^(1/rho)}, see {@link KarrasSchedule}. */
  record Karras() implements LevelSchedule {
    @Override
    public String toString() {
      return "karras";
    }
  }

  /**
   * Parses {@code karras}.
   *
   * @throws OptionException for anything else
   */
  static LevelSchedule parse(String text) {
    if (text.equals("karras")) {
      return KARRAS;
    }
    throw new OptionException("schedule must be karras, but is '%s'".formatted(text));
  }
}
