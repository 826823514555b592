// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.time.Duration;

/** Runs what may never end, such as a call of native code, and waits for it only for so long. */
final class Bounded {
  private Bounded() {}

  /**
   * Runs on a daemon thread, which is left behind when it does not end. An interrupt does not end
   * the wait; the thread's interrupt status stays set.
   *
   * @param name the thread's
   * @return whether it has ended
   */
  static boolean run(String name, Duration limit, Runnable work) {
    Thread thread = Thread.ofPlatform().daemon().name(name).start(work);
    long end = System.nanoTime() + limit.toNanos();
    boolean interrupted = false;
    while (thread.isAlive() && System.nanoTime() - end < 0) {
      try {
        thread.join(Duration.ofMillis(50));
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return !thread.isAlive();
  }
}
