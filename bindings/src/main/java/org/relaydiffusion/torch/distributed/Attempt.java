// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.cpp.CppException;

/** Makes a call and says in one line what failed: which operation, where, after how long. */
final class Attempt {
  // LibTorch's own time-outs end some seconds late, more on a busy machine, and say more than ours.
  private static final Duration GRACE = Duration.ofSeconds(20);

  private static final String NO_ANSWER = "timed out, there is no answer";

  private Attempt() {}

  /** A call with a result. */
  @FunctionalInterface
  interface Call<T> {
    T run() throws CppException;
  }

  /** An operation of a group. */
  @FunctionalInterface
  interface Action {
    void run() throws BackendException;
  }

  /**
   * Calls on this thread.
   *
   * @param what the operation and where it happens
   */
  static void run(String what, Action action) {
    long start = System.nanoTime();
    try {
      action.run();
    } catch (BackendException e) {
      throw e.isLoss() ? lost(what, start, e.reason()) : failed(what, start, e.reason());
    }
  }

  /**
   * Calls on a thread of its own, and gives up on it when its time is long over: some of LibTorch's
   * calls wait for an answer without an end, if a server took the connection and then says nothing.
   * None of them can be interrupted, but this wait for them can.
   *
   * @param call what it returns is closed, if it can be, when nobody waits for it any more; its
   *     thread is interrupted then
   * @param notices who is told that this takes long
   * @throws CancelledException when the current thread is interrupted
   */
  static <T> T within(Duration limit, String what, Call<T> call, WaitNotices notices) {
    return within(limit, what, call, () -> {}, notices);
  }

  /**
   * As {@link #within(Duration, String, Call, WaitNotices)}.
   *
   * @param afterwards run once when the call is over, or will never be made, on whatever thread
   */
  static <T> T within(
      Duration limit, String what, Call<T> call, Runnable afterwards, WaitNotices notices) {
    long start = System.nanoTime();
    Task<T> task = new Task<>(call);
    start(task, afterwards);
    try {
      return await(task, start + limit.plus(GRACE).toNanos(), notices);
    } catch (TimeoutException e) {
      task.abandon();
      throw failed(what, start, NO_ANSWER);
    } catch (InterruptedException e) {
      task.abandon();
      throw CancelledException.interrupted(what, e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case CppException c -> throw failed(what, start, c.reason());
        case RuntimeException r -> throw r;
        case Error r -> throw r;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  private static void start(Runnable task, Runnable afterwards) {
    boolean started = false;
    try {
      Thread.ofPlatform()
          .daemon()
          .name("rdm-store")
          .start(() -> {
            try {
              task.run();
            } finally {
              afterwards.run();
            }
          });
      started = true;
    } finally {
      if (!started) {
        afterwards.run();
      }
    }
  }

  private static <T> T await(Task<T> task, long end, WaitNotices notices)
      throws InterruptedException, ExecutionException, TimeoutException {
    while (true) {
      long now = System.nanoTime();
      try {
        return task.get(Math.min(end - now, notices.nanosLeft(now)), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        if (System.nanoTime() - end >= 0) {
          throw e;
        }
        notices.tellIfDue(System.nanoTime());
      }
    }
  }

  private static final class Task<T> extends FutureTask<T> {
    private Task(Call<T> call) {
      super(call::run);
    }

    @Override
    protected void set(T result) {
      super.set(result);
      if (isCancelled()) {
        closeLate(result);
      }
    }

    /** Nobody waits any more: what the call returns is closed, also if it just did. */
    private void abandon() {
      // Cancelling fails where the call has ended between the last look and now.
      if (!cancel(true) && state() == State.SUCCESS) {
        closeLate(resultNow());
      }
    }

    private static void closeLate(@Nullable Object result) {
      if (result instanceof AutoCloseable late) {
        try {
          late.close();
        } catch (Exception e) {
          System.getLogger("org.relaydiffusion.torch")
              .log(System.Logger.Level.DEBUG, "a result that came too late could not be closed", e);
        }
      }
    }
  }

  /** What went wrong, and after how long; a lost peer where the reason says so. */
  static TorchException failed(String what, long start, String reason) {
    return PeerLostException.orOther(line(what, start, reason), reason);
  }

  /** As {@link #failed}, where it is known that a peer or its answer did not come. */
  static PeerLostException lost(String what, long start, String reason) {
    return new PeerLostException(line(what, start, reason));
  }

  private static String line(String what, long start, String reason) {
    double seconds = Duration.ofNanos(System.nanoTime() - start).toMillis() / 1000.0;
    return String.format(Locale.ROOT, "%s failed after %.1f s: %s", what, seconds, reason);
  }
}
