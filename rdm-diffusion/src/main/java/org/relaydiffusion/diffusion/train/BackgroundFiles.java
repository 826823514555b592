package org.relaydiffusion.diffusion.train;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;

/**
 * Writes files beside training, one after the other. What is to be written has been copied, so that
 * training may change it meanwhile. A state and a snapshot may wait at once: those of one tick do
 * not stop training, and the copies of the tick before are gone when the next ones are made.
 */
final class BackgroundFiles implements AutoCloseable {
  private static final int WAITING = 2;

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("rdm-files").factory());
  private final TrainingListener listener;
  private volatile @Nullable String failure;
  private final Deque<Future<?>> running = new ArrayDeque<>();

  BackgroundFiles(TrainingListener listener) {
    this.listener = listener;
  }

  /**
   * Waits until there is room for one more file, then hands this one over.
   *
   * @param work writes it, and frees what it was made from in any case
   * @param discard frees that instead, when an earlier file ended with an error
   */
  void write(Runnable work, Runnable discard) {
    try {
      while (running.size() >= WAITING) {
        finish(running.removeFirst());
      }
    } catch (RuntimeException e) {
      discard.run();
      throw e;
    }
    running.add(
        thread.submit(() -> {
          try {
            work.run();
          } catch (RdmException e) {
            // A run of days does not end because a disk is full; older files are still there.
            String reason = String.valueOf(e.getMessage());
            failure = reason;
            listener.warning(reason);
            throw e;
          } catch (RuntimeException | Error e) {
            failure = e.toString();
            listener.warning("a file was not written: " + e);
            throw e;
          }
        }));
  }

  /** Why the last of the files that could not be written was not. */
  Optional<String> failure() {
    return Optional.ofNullable(failure);
  }

  /**
   * Waits for all files, interrupted or not; that one could not be written was told as a warning.
   */
  void drain() {
    IllegalStateException fault = null;
    while (!running.isEmpty()) {
      try {
        finish(running.removeFirst());
      } catch (IllegalStateException e) {
        // The others are waited for all the same: who drains may give the folder away.
        fault = fault == null ? e : fault;
      }
    }
    if (fault != null) {
      throw fault;
    }
  }

  private static void finish(Future<?> file) {
    try {
      Uninterrupted.get(file);
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof RdmException)) {
        throw new IllegalStateException(e.getCause());
      }
    }
  }

  @Override
  public void close() {
    try {
      drain();
    } finally {
      thread.shutdown();
    }
  }
}
