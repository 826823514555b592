// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.time.Duration;
import org.relaydiffusion.CancelledException;

/**
 * Lets the processes of a job wait at a store until all have come, counted by two keys. {@code
 * TCPStore}'s own wait cannot be interrupted and never tells how many are missing.
 */
final class Arrivals {
  private static final String COME = "/come";
  private static final String SEEN = "/seen";
  private static final long SHORTEST_MILLIS = 5;
  private static final long LONGEST_MILLIS = 200;

  private final Store store;
  private final String prefix;
  private final int worldSize;
  private final Duration timeout;
  private final long end;
  private final WaitNotices notices;
  private long come;

  /**
   * Processes that come together now.
   *
   * @param prefix what the keys begin with, the same in all processes and for this occasion alone
   * @param worldSize how many there are
   * @param timeout how long they are waited for
   */
  Arrivals(Store store, String prefix, int worldSize, Duration timeout) {
    this.store = store;
    this.prefix = prefix;
    this.worldSize = worldSize;
    this.timeout = timeout;
    this.end = System.nanoTime() + timeout.toNanos();
    this.notices = new WaitNotices(store.listener(), this::line);
  }

  /** Counts this process. */
  void register() {
    store.add(prefix + COME, 1);
  }

  /**
   * Waits until all are registered.
   *
   * @throws PeerLostException when they do not come in time
   * @throws CancelledException when the thread is interrupted
   */
  void await() {
    await(prefix + COME);
  }

  /**
   * As {@link #await()}; where this process keeps the store, it also waits until the others have
   * seen that all are there, because it may leave next.
   */
  void await(TcpStore.Role role) {
    await();
    store.add(prefix + SEEN, 1);
    if (role == TcpStore.Role.SERVER) {
      await(prefix + SEEN);
    }
  }

  private void await(String key) {
    long pause = SHORTEST_MILLIS;
    while (true) {
      come = store.add(key, 0);
      if (come >= worldSize) {
        return;
      }
      long now = System.nanoTime();
      if (now >= end) {
        throw new PeerLostException(
            "%s: %s of %s processes did not come within %s s"
                .formatted(store, worldSize - come, worldSize, timeout.toSeconds()));
      }
      notices.tellIfDue(now);
      try {
        Thread.sleep(Math.min(pause, Duration.ofNanos(end - now).toMillis() + 1));
      } catch (InterruptedException e) {
        throw CancelledException.interrupted(line(), e);
      }
      pause = Math.min(2 * pause, LONGEST_MILLIS);
    }
  }

  private String line() {
    return "waiting for %s of %s processes at %s"
        .formatted(worldSize - come, worldSize, store.place());
  }
}
