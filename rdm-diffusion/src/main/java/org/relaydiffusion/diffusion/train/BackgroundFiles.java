package org.relaydiffusion.diffusion.train;

import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;

/**
 * Writes files beside training, one after the other. What is to be written has been copied, so that
 * training may change it meanwhile; at most one copy waits.
 */
final class BackgroundFiles implements AutoCloseable {
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("rdm-files").factory());
  private final TrainingListener listener;
  private volatile @Nullable String failure;
  private @Nullable Future<?> last;

  BackgroundFiles(TrainingListener listener) {
    this.listener = listener;
  }

  /**
   * Waits for the file before, then begins this one.
   *
   * @param work writes it, and frees what it was made from in any case
   */
  void write(Runnable work) {
    drain();
    last =
        thread.submit(() -> {
          try {
            work.run();
          } catch (RdmException e) {
            // A run of days does not end because a disk is full; older files are still there.
            String reason = String.valueOf(e.getMessage());
            failure = reason;
            listener.warning(reason);
            throw e;
          }
        });
  }

  /** Why the last of the files that could not be written was not. */
  Optional<String> failure() {
    return Optional.ofNullable(failure);
  }

  /**
   * Waits for the file in work, if any, interrupted or not; that it could not be written was told as
   * a warning.
   */
  void drain() {
    Future<?> running = last;
    last = null;
    if (running == null) {
      return;
    }
    try {
      Uninterrupted.get(running);
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
