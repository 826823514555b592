// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;

/** Until when one call may wait, and what is done now and then while it does. */
public final class Deadline {
  private static final long SLICE_MILLIS = 250;

  private final Duration limit;
  private final long end;
  private final Runnable tick;

  /**
   * A call that begins now.
   *
   * @param tick run by the waiting thread about four times a second
   */
  public Deadline(Duration limit, Runnable tick) {
    this.limit = limit;
    this.end = System.nanoTime() + limit.toNanos();
    this.tick = tick;
  }

  /** A part of this call that may take {@code most}, but not longer than the whole. */
  Deadline atMost(Duration most) {
    Duration left = Duration.ofMillis(Math.max(1, millisLeft()));
    return new Deadline(left.compareTo(most) < 0 ? left : most, tick);
  }

  /** Milliseconds until the end, rounded up; 0 when it has come. */
  public long millisLeft() {
    long left = end - System.nanoTime();
    return left <= 0 ? 0 : (left + 999_999) / 1_000_000;
  }

  /** How many milliseconds to wait at most before {@link #check}: 1 or more. */
  long slice() {
    return Math.clamp(millisLeft(), 1, SLICE_MILLIS);
  }

  /**
   * To be called after each slice of waiting.
   *
   * @param what is missing, for the message
   * @throws ClosedByInterruptException if the thread is interrupted
   * @throws SocketTimeoutException if the end has come
   */
  void check(String what) throws ClosedByInterruptException, SocketTimeoutException {
    if (Thread.currentThread().isInterrupted()) {
      throw new ClosedByInterruptException();
    }
    if (millisLeft() == 0) {
      throw new SocketTimeoutException(
          "timed out after %sms%s".formatted(limit.toMillis(), what.isEmpty() ? "" : ", " + what));
    }
    tick.run();
  }

  /** Sleeps, but not past the end; throws as {@link #check} does. */
  void pause(long millis, String what) throws ClosedByInterruptException, SocketTimeoutException {
    try {
      Thread.sleep(Math.clamp(millis, 1, slice()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    check(what);
  }
}
