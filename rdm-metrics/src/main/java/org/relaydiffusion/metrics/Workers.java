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
 * Threads that share numbered tasks. A matrix product runs on one thread, because OpenBLAS's own
 * pool fights OpenMP's, so work is spread by giving each thread products of its own. Results are
 * taken in the order of the tasks: which thread was quicker shows nowhere.
 *
 * <p>A task runs in a scope of its own and without gradients; tensors that it is handed must be
 * released ones. For one calling thread.
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

  /** The number of threads. */
  int count() {
    return count;
  }

  /**
   * Begins tasks 0, 1, ... {@code count} - 1 and returns at once. Once cancelled, no more begin.
   *
   * @return what waits for them; the caller closes it, before what the tasks read
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
   * Returns if the work may go on.
   *
   * @throws org.relaydiffusion.CancelledException if not
   */
  void check() {
    cancellation.check();
  }

  /** Runs tasks to their end; their results are taken on the calling thread, in order. */
  <T> void run(int count, IntFunction<T> task, Consumer<T> taker) {
    try (Batch<T> batch = begin(count, task)) {
      batch.await(taker);
    }
  }

  /** Ends the threads when they have done what they were given. */
  @Override
  public void close() {
    threads.close();
  }

  /** Tasks that were begun. */
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
     * @param taker takes each result, on this thread and in order
     * @throws RuntimeException what the first task that failed threw
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

    /** Drops the tasks that have not begun, and waits for those that have. */
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

    /** Waits, interrupted or not: the caller is about to free what the task reads. */
    private static boolean waitFor(Future<?> task) {
      boolean interrupted = false;
      while (true) {
        try {
          task.get();
          return interrupted;
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          // The first failure is on its way already.
          return interrupted;
        }
      }
    }
  }
}
