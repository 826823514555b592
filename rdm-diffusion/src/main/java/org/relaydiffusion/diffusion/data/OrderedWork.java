// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.diffusion.Cancellation;

/**
 * Performs numbered tasks on several threads and delivers their results in order, independent of
 * timing. The number of pending results is bounded, and so is the memory.
 *
 * @param count number of tasks
 * @param workers number of threads
 */
public record OrderedWork(int count, int workers) {
  private static final int AHEAD = 8;

  /** Receives the results. */
  @FunctionalInterface
  public interface Taker<T> {
    /**
     * Receives one result.
     *
     * @param index of the task: 0, 1, 2, ...
     */
    void take(int index, T result);
  }

  /**
   * Performs the tasks. All threads have ended when this method returns or throws, so that their
   * input can be closed.
   *
   * @param work computes a result, on one of the threads
   * @param taker receives it, on the calling thread
   * @param cancellation ends the work early
   * @throws org.relaydiffusion.CancelledException if it was cancelled
   */
  public <T> void run(IntFunction<T> work, Taker<T> taker, Cancellation cancellation) {
    ExecutorService threads =
        Executors.newFixedThreadPool(
            workers, Thread.ofPlatform().daemon().name("rdm-pictures-", 0).factory());
    try {
      Deque<Future<T>> ahead = new ArrayDeque<>();
      int submitted = 0;
      for (int i = 0; i < count; i++) {
        while (submitted < count && ahead.size() < workers * AHEAD) {
          int index = submitted++;
          ahead.add(threads.submit(() -> work.apply(index)));
        }
        cancellation.check();
        taker.take(i, result(ahead.remove()));
      }
    } finally {
      end(threads);
    }
  }

  private static <T> T result(Future<T> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      throw CancelledException.interrupted("reading images", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException known -> throw known;
        case Error error -> throw error;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  private static void end(ExecutorService threads) {
    threads.shutdownNow();
    boolean interrupted = false;
    while (!threads.isTerminated()) {
      try {
        threads.awaitTermination(1, TimeUnit.HOURS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
