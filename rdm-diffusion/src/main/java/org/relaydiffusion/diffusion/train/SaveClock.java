// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.time.Duration;
import java.util.Optional;

/**
 * The time since the last state, by the clock of the first process: those of the others may differ.
 */
final class SaveClock {
  private final boolean counts;
  private final Duration most;
  private long saved = System.nanoTime();

  /**
   * Creates a clock that starts now.
   *
   * @param most the time after which a state is due; empty for never
   */
  SaveClock(World world, Optional<Duration> most) {
    this.counts = world.isFirst() && most.isPresent();
    this.most = most.orElse(Duration.ZERO);
  }

  /** Returns whether a state is due; always false except in the first process. */
  boolean isDue() {
    return counts && System.nanoTime() - saved >= most.toNanos();
  }

  /** Restarts the clock after a state was captured. */
  void saved() {
    saved = System.nanoTime();
  }
}
