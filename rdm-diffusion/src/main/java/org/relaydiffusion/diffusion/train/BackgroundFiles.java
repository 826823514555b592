// SPDX-License-Identifier: Apache-2.0
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
 * Writes files in the background, one after the other, while training continues. The data to be
 * written has been copied, so that training may change it meanwhile. A state and a snapshot may be
 * queued: those of one tick do not block training, and the copies of the previous tick have been
 * freed when the next ones are made.
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
   * Waits until there is room for one more file, then submits it.
   *
   * @param work writes the file, and frees its data in any case
   * @param discard frees the data instead, if an earlier file ended with an error
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
            // A run of days must not end because a disk is full; older files are still there.
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

  /** Returns why the last of the files that could not be written was not. */
  Optional<String> failure() {
    return Optional.ofNullable(failure);
  }

  /**
   * Waits for all files, even if interrupted; a file that could not be written was reported as a
   * warning.
   */
  void drain() {
    IllegalStateException fault = null;
    while (!running.isEmpty()) {
      try {
        finish(running.removeFirst());
      } catch (IllegalStateException e) {
        // Wait for the others nevertheless: the caller may release the folder afterwards.
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
