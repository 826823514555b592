package org.relaydiffusion.diffusion.image;

import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;

/**
 * Encodes and writes pictures on threads of its own while the next ones are being made. At most
 * {@code pending} pictures wait or are being written: {@link #submit} then waits, so that memory
 * stays bounded however slow the disk is.
 *
 * <p>The first failure is thrown by the next call of {@link #submit}, or by {@link #close};
 * pictures that were submitted before are still written. Any thread may submit; {@link #close}
 * belongs to whoever made the writer.
 */
public final class BackgroundPngWriter implements AutoCloseable {
  private final Compression compression;
  private final int pending;
  private final Semaphore free;
  private final ExecutorService threads;
  private final AtomicReference<@Nullable FileException> failure = new AtomicReference<>();
  private volatile boolean reported;
  private volatile boolean closed;

  /**
   * Starts the threads, which are daemons.
   *
   * @param compression of all the pictures
   * @param threads how many to write at once, at least 1
   * @param pending how many pictures may be held, at least {@code threads}
   */
  public BackgroundPngWriter(Compression compression, int threads, int pending) {
    if (threads < 1 || pending < threads) {
      throw new IllegalArgumentException(
          "%s threads with room for %s pictures: both are at least 1, the room at least the threads"
              .formatted(threads, pending));
    }
    this.compression = compression;
    this.pending = pending;
    this.free = new Semaphore(pending);
    this.threads =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("png-writer-", 0).factory());
  }

  /**
   * Hands over a picture; waits while {@code pending} pictures are held.
   *
   * @param file where it goes; an old file is replaced, folders above it are made
   * @param pixels not to be changed afterwards
   * @throws FileException the first failure so far, of whichever picture
   * @throws CancelledException when the thread is interrupted while it waits; the picture is not
   *     written then
   */
  public void submit(Path file, Pixels pixels) {
    if (closed) {
      throw new IllegalStateException("the writer of " + file + " is closed");
    }
    throwFailure();
    try {
      free.acquire();
    } catch (InterruptedException e) {
      throw CancelledException.interrupted("waiting to write " + file, e);
    }
    boolean accepted = false;
    try {
      threads.execute(() -> write(file, pixels));
      accepted = true;
    } finally {
      if (!accepted) {
        free.release();
      }
    }
  }

  /**
   * Waits until all pictures are written, then ends the threads. Further calls do nothing.
   *
   * @throws FileException the first failure, unless {@link #submit} has thrown it already
   */
  @Override
  public void close() {
    closed = true;
    threads.shutdown();
    boolean interrupted = false;
    while (!threads.isTerminated()) {
      try {
        threads.awaitTermination(1, TimeUnit.HOURS);
      } catch (InterruptedException e) {
        // The pictures are made and paid for: they are written before the interrupt is passed on.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (!reported) {
      throwFailure();
    }
  }

  /** How many pictures are waiting or being written now. */
  public int held() {
    return pending - free.availablePermits();
  }

  private void write(Path file, Pixels pixels) {
    try {
      PngWriter.write(pixels, compression, file);
    } catch (FileException e) {
      failure.compareAndSet(null, e);
    } catch (RuntimeException | OutOfMemoryError e) {
      failure.compareAndSet(null, new FileException(file, "cannot be written: " + e, e));
    } finally {
      free.release();
    }
  }

  private void throwFailure() {
    FileException first = failure.get();
    if (first != null) {
      reported = true;
      throw first;
    }
  }
}
