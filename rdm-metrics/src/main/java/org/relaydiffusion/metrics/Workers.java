// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.TensorScope;

/**
 * Threads that share numbered tasks. A matrix product runs on one thread, because OpenBLAS's thread
 * pool competes with OpenMP's, so the work is parallelized by computing separate products on each
 * thread. Results are delivered in the order of the tasks, independent of timing.
 *
 * <p>A task runs in a scope of its own and without gradients; tensors passed to it must be released
 * from their scope. For one calling thread.
 */
final class Workers implements AutoCloseable {
  private final int count;
  private final ExecutorService threads;
  private final Cancellation cancellation;

  Workers(WorkOptions work) {
    this(work.threads(), work.cancellation());
  }

  Workers(int count, Cancellation cancellation) {
    this.count = count;
    this.cancellation = cancellation;
    threads = Executors.newFixedThreadPool(count, Workers::thread);
  }

  private static Thread thread(Runnable loop) {
    return Thread.ofPlatform()
        .daemon()
        .name("rdm-metrics")
        .unstarted(() -> {
          NativeThreads.useThisThreadAlone();
          loop.run();
        });
  }

  /** Returns the number of threads. */
  int count() {
    return count;
  }

  /**
   * Starts tasks 0, 1, ... {@code count} - 1 and returns immediately. After cancellation, no more
   * tasks are started.
   *
   * @return the pending tasks; the caller closes it before the input of the tasks
   */
  <T> Batch<T> begin(int count, IntFunction<T> task) {
    AtomicBoolean dropped = new AtomicBoolean();
    List<Future<T>> futures = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int index = i;
      futures.add(
          threads.submit(() -> {
            if (dropped.get()) {
              throw new CancellationException("an earlier task failed");
            }
            cancellation.check();
            try (TensorScope _ = TensorScope.open();
                GradMode _ = GradMode.noGrad()) {
              return task.apply(index);
            }
          }));
    }
    return new Batch<>(futures, dropped);
  }

  /**
   * Returns normally if the work may continue.
   *
   * @throws org.relaydiffusion.CancelledException if not
   */
  void check() {
    cancellation.check();
  }

  /** Runs tasks to their end; their results are delivered on the calling thread, in order. */
  <T> void run(int count, IntFunction<T> task, Consumer<T> taker) {
    try (Batch<T> batch = begin(count, task)) {
      batch.await(taker);
    }
  }

  /** Ends the threads after they have finished their tasks. */
  @Override
  public void close() {
    threads.close();
  }

  /** Pending tasks. */
  static final class Batch<T> implements AutoCloseable {
    private final List<Future<T>> tasks;
    private final AtomicBoolean dropped;

    private Batch(List<Future<T>> tasks, AtomicBoolean dropped) {
      this.tasks = tasks;
      this.dropped = dropped;
    }

    /**
     * Waits for all tasks.
     *
     * @param taker receives each result, on this thread and in order
     * @throws RuntimeException the exception of the first task that failed
     */
    void await(Consumer<T> taker) {
      for (Future<T> task : tasks) {
        taker.accept(result(task));
      }
    }

    private static <T> T result(Future<T> task) {
      try {
        return task.get();
      } catch (InterruptedException e) {
        throw CancelledException.interrupted("computing a metric", e);
      } catch (ExecutionException e) {
        switch (e.getCause()) {
          case RuntimeException known -> throw known;
          case Error error -> throw error;
          case null, default -> throw new IllegalStateException(e);
        }
      }
    }

    /** Cancels tasks that have not started, and waits for those that have. */
    @Override
    public void close() {
      dropped.set(true);
      boolean interrupted = false;
      for (Future<T> task : tasks) {
        interrupted |= waitFor(task);
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    /** Waits even if interrupted: the caller is about to free the input of the task. */
    private static boolean waitFor(Future<?> task) {
      boolean interrupted = false;
      while (true) {
        try {
          task.get();
          return interrupted;
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          // The first failure is already being thrown.
          return interrupted;
        }
      }
    }
  }
}
