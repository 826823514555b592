package org.relaydiffusion.diffusion.train;

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
            listener.warning(String.valueOf(e.getMessage()));
            throw e;
          }
        });
  }

  /** Waits for the file in work, if any; that it could not be written was told as a warning. */
  void drain() {
    Future<?> running = last;
    last = null;
    if (running == null) {
      return;
    }
    try {
      running.get();
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof RdmException)) {
        throw new IllegalStateException(e.getCause());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RdmException("interrupted while a file was written", e);
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
