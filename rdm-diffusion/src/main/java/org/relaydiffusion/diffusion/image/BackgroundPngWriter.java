// SPDX-License-Identifier: Apache-2.0
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
 * Encodes and writes images on background threads while the next ones are sampled. At most {@code
 * pending} images are queued or being written; {@link #submit} then blocks, so that memory is
 * bounded even if the disk is slow.
 *
 * <p>The first failure is thrown by the next call of {@link #submit}, or by {@link #close}; images
 * submitted before are still written. Any thread may submit; {@link #close} is called by the owner
 * of the writer.
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
   * @param compression of all images
   * @param threads number of images to write concurrently, at least 1
   * @param pending maximum number of images held, at least {@code threads}
   */
  public BackgroundPngWriter(Compression compression, int threads, int pending) {
    if (threads < 1 || pending < threads) {
      throw new IllegalArgumentException(
          "invalid number of threads (%s) or of pending images (%s)".formatted(threads, pending));
    }
    this.compression = compression;
    this.pending = pending;
    this.free = new Semaphore(pending);
    this.threads =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("png-writer-", 0).factory());
  }

  /**
   * Submits an image; blocks while {@code pending} images are held.
   *
   * @param file the target; an existing file is replaced, parent folders are created
   * @param pixels must not be modified afterwards
   * @throws FileException the first failure so far, of any image
   * @throws CancelledException if the thread is interrupted while waiting; the image is then not
   *     written
   */
  public void submit(Path file, Pixels pixels) {
    submit(file, pixels, PngText.NONE);
  }

  /** Submits an image as {@link #submit(Path, Pixels)}, with text entries of the file. */
  public void submit(Path file, Pixels pixels, PngText text) {
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
      threads.execute(() -> write(file, pixels, text));
      accepted = true;
    } finally {
      if (!accepted) {
        free.release();
      }
    }
  }

  /**
   * Waits until all images are written, then ends the threads. Further calls have no effect.
   *
   * @throws FileException the first failure, unless {@link #submit} has already thrown it
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
        // Finished images are written before the interrupt is forwarded.
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

  /** Returns the number of images that are queued or being written. */
  public int held() {
    return pending - free.availablePermits();
  }

  private void write(Path file, Pixels pixels, PngText text) {
    try {
      PngWriter.write(pixels, compression, text, file);
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
