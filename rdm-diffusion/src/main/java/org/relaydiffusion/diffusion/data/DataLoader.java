// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.random.InfiniteSampler;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Torch;

/**
 * Loads batches of a data set in the order of a sampler. Threads of the loader decode ahead of the
 * training step. The batches do not depend on the number of threads.
 *
 * <p>The loader draws from the sampler ahead of the batches that it returns, so a run must count
 * the images that it has received; to resume, a new sampler skips that number before the loader is
 * created.
 *
 * <p>{@link #next()} and {@link #close()} must be called by one thread. The data set remains owned
 * by the caller, who closes it after the loader.
 */
public final class DataLoader implements AutoCloseable {
  /** The number of batches decoded ahead of the requested one. */
  private static final int AHEAD = 2;

  private final ImageFolderDataset dataset;
  private final Iterator<int[]> batches;
  private final Device device;
  private final List<Thread> workers = new ArrayList<>();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition workWaits = lock.newCondition();
  private final Condition itemIsDone = lock.newCondition();

  /** The minimum number of batches to keep. */
  private int wanted;

  /** The batches in order, the next one first. Guarded by the lock, including their content. */
  private final ArrayDeque<PendingBatch> pending = new ArrayDeque<>();

  private @Nullable RuntimeException failure;
  private boolean closed;

  /**
   * Starts decoding.
   *
   * @param dataset the data
   * @param sampler the order; owned by the loader from now on
   * @param batch N, at least 1
   * @param workers number of decoding threads; with 0, {@link #next()} decodes
   * @param device the device of the batches; for CUDA they are in pinned memory, and their copy is
   *     started when they are returned
   * @throws OptionException if a number is out of range, or the device cannot be used
   */
  public DataLoader(
      ImageFolderDataset dataset, InfiniteSampler sampler, int batch, int workers, Device device) {
    this(dataset, endless(sampler, checked(dataset, batch)), workers, device);
  }

  /**
   * Starts decoding batches selected by the caller; after the last of them, {@link #next()} throws
   * {@link java.util.NoSuchElementException}.
   *
   * @param dataset the data
   * @param batches the items of each batch, at least 1, in order; owned by the loader from now on,
   *     which calls it on this thread and on that of {@link #next()}
   * @param workers number of decoding threads; with 0, {@link #next()} decodes
   * @param device the device of the batches, as above
   * @throws OptionException if a number is out of range, or the device cannot be used
   */
  public DataLoader(
      ImageFolderDataset dataset, Iterator<int[]> batches, int workers, Device device) {
    if (workers < 0) {
      throw new OptionException("--workers must be at least 0, but is " + workers);
    }
    Torch.requireUsable(device);
    this.dataset = dataset;
    this.batches = batches;
    this.device = device;
    this.wanted = workers == 0 ? 1 : 1 + AHEAD;
    for (int i = 0; i < workers; i++) {
      this.workers.add(Thread.ofPlatform().daemon().name("rdm-data-" + i).unstarted(this::work));
    }
    try {
      refill();
    } catch (RuntimeException e) {
      pending.forEach(PendingBatch::close);
      throw e;
    }
    this.workers.forEach(Thread::start);
  }

  private static int checked(ImageFolderDataset dataset, int batch) {
    if (batch < 1) {
      throw new OptionException("a batch must have at least 1 image, but has " + batch);
    }
    long bytes = (long) batch * dataset.channels() * dataset.resolution() * dataset.resolution();
    if (bytes > Integer.MAX_VALUE) {
      throw new OptionException("a batch of %s images of this size is too large".formatted(batch));
    }
    return batch;
  }

  private static Iterator<int[]> endless(InfiniteSampler sampler, int batch) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return true;
      }

      @Override
      public int[] next() {
        int[] indices = new int[batch];
        Arrays.setAll(indices, _ -> sampler.nextInt());
        return indices;
      }
    };
  }

  /**
   * Returns the next batch, waiting until it is decoded. Its tensors belong to the caller's scope,
   * or to the caller if there is none.
   *
   * @throws org.relaydiffusion.FileException naming the file, if one cannot be read; later calls
   *     throw it again
   * @throws CancelledException if the thread is interrupted while waiting; the batch remains the
   *     next one
   */
  public Batch next() {
    lock.lock();
    try {
      checkUsable();
      await(pending.element());
      return take(pending.remove());
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until the next batches are decoded, so that the same number of calls of {@link #next()}
   * neither block nor fail. From now on, this number of batches is kept ahead.
   *
   * @param count at least 1; if fewer are left, those
   * @throws org.relaydiffusion.RdmException as {@link #next()}, for the first of them that fails
   * @throws CancelledException if the thread is interrupted while waiting; no batch is lost
   */
  public void prepare(int count) {
    lock.lock();
    try {
      checkUsable();
      wanted = Math.max(wanted, count);
      refill();
      Iterator<PendingBatch> next = pending.iterator();
      for (int i = 0; i < count && next.hasNext(); i++) {
        PendingBatch batch = next.next();
        await(batch);
        try {
          batch.check();
        } catch (RuntimeException e) {
          failure = e;
          throw e;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void checkUsable() {
    if (closed) {
      throw new IllegalStateException("the data loader is closed");
    }
    if (failure != null) {
      throw failure;
    }
  }

  private Batch take(PendingBatch first) {
    try {
      Batch taken = first.take(device);
      try {
        refill();
      } catch (RuntimeException e) {
        taken.close();
        throw e;
      }
      return taken;
    } catch (RuntimeException e) {
      failure = e;
      throw e;
    }
  }

  private void await(PendingBatch first) {
    try {
      while (!first.isDone()) {
        if (workers.isEmpty()) {
          fillOne(first);
        } else {
          itemIsDone.await();
        }
      }
    } catch (InterruptedException e) {
      throw CancelledException.interrupted("waiting for training data", e);
    }
  }

  /**
   * Draws batches up to the number to keep; called with the lock, or before threads are started.
   */
  private void refill() {
    while (pending.size() < wanted && batches.hasNext()) {
      int[] indices = batches.next();
      checked(dataset, indices.length);
      pending.add(new PendingBatch(dataset, indices, device));
    }
    lock.lock();
    try {
      workWaits.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The loop of a worker, until the loader is closed. */
  private void work() {
    lock.lock();
    try {
      while (!closed) {
        PendingBatch open = firstOpen();
        if (open == null) {
          workWaits.awaitUninterruptibly();
        } else {
          fillOne(open);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private @Nullable PendingBatch firstOpen() {
    for (PendingBatch candidate : pending) {
      if (candidate.isOpen()) {
        return candidate;
      }
    }
    return null;
  }

  /** Decodes one item, releasing the lock meanwhile. */
  private void fillOne(PendingBatch open) {
    int item = open.begin();
    Throwable fault = null;
    lock.unlock();
    try {
      open.fill(item);
    } catch (Throwable e) {
      // Including errors: the thread that waits for the batch must receive it in any case.
      fault = e;
    } finally {
      lock.lock();
    }
    open.end(item, fault);
    if (open.isDone()) {
      itemIsDone.signalAll();
    }
  }

  /**
   * Stops the threads and frees the batches that were not returned. Closing twice has no effect.
   */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      workWaits.signalAll();
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    for (Thread worker : workers) {
      while (worker.isAlive()) {
        try {
          worker.join();
        } catch (InterruptedException _) {
          // Its image is done in milliseconds; the memory must not be freed before.
          interrupted = true;
        }
      }
    }
    pending.forEach(PendingBatch::close);
    pending.clear();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
