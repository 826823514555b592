package org.relaydiffusion.diffusion.train;

import java.time.Duration;
import java.util.Optional;

/** How long there was no state, by the first process's clock: those of the others may differ. */
final class SaveClock {
  private final boolean counts;
  private final Duration most;
  private long saved = System.nanoTime();

  /**
   * A clock that has just been started.
   *
   * @param most after how long a state is due; empty for never
   */
  SaveClock(World world, Optional<Duration> most) {
    this.counts = world.isFirst() && most.isPresent();
    this.most = most.orElse(Duration.ZERO);
  }

  /** Whether the time has come; never for any process but the first. */
  boolean isDue() {
    return counts && System.nanoTime() - saved >= most.toNanos();
  }

  /** A state has been captured: the time begins anew. */
  void saved() {
    saved = System.nanoTime();
  }
}
