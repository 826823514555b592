// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.time.Duration;
import java.util.function.Supplier;

/** When a {@link WaitListener} is told during one wait: after 5 s, 20 s, 80 s and so on. */
final class WaitNotices {
  private static final long FIRST_NANOS = Duration.ofSeconds(5).toNanos();
  private static final int FACTOR = 4;

  private final WaitListener listener;
  private final Supplier<String> line;
  private final long start;
  private long due = FIRST_NANOS;

  /**
   * A wait that begins now.
   *
   * @param line what the listener is told
   */
  WaitNotices(WaitListener listener, Supplier<String> line) {
    this(listener, line, System.nanoTime());
  }

  WaitNotices(WaitListener listener, Supplier<String> line, long start) {
    this.listener = listener;
    this.line = line;
    this.start = start;
  }

  /** Nanoseconds until the listener is to be told next; at most 0 when that is due. */
  long nanosLeft(long now) {
    return start + due - now;
  }

  /** Tells the listener, if it is time. */
  void tellIfDue(long now) {
    if (nanosLeft(now) <= 0) {
      while (nanosLeft(now) <= 0) {
        due *= FACTOR;
      }
      listener.waiting(line.get());
    }
  }
}
