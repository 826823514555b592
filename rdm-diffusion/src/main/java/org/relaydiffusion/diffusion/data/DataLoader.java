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
 * Batches of a data set in the order of a sampler, decoded ahead of the training step by threads of
 * its own. Which thread decodes what does not show: the batches are always the same.
 *
 * <p>It draws from the sampler ahead of the batches that it hands out, so a run counts the images
 * that it was given; to go on from there, a fresh sampler skips as many before the loader is made.
 *
 * <p>{@link #next()} and {@link #close()} belong to one thread. The data set stays its owner's, who
 * closes it after the loader.
 */
public final class DataLoader implements AutoCloseable {
  /** How many batches are made beyond the one that is asked for. */
  private static final int AHEAD = 2;

  private final ImageFolderDataset dataset;
  private final Iterator<int[]> batches;
  private final Device device;
  private final List<Thread> workers = new ArrayList<>();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition workWaits = lock.newCondition();
  private final Condition itemIsDone = lock.newCondition();

  /** How many batches are kept at least. */
  private int wanted;

  /** Batches in order, the next one first. Guarded by the lock, as are those in it. */
  private final ArrayDeque<PendingBatch> pending = new ArrayDeque<>();

  private @Nullable RuntimeException failure;
  private boolean closed;

  /**
   * Starts decoding.
   *
   * @param dataset what is read
   * @param sampler the order; it belongs to the loader from now on
   * @param batch N, at least 1
   * @param workers how many threads decode; 0 leaves it to {@link #next()}
   * @param device where the batches are wanted; on CUDA they go through pinned memory, and their
   *     copying is only begun when they are handed out
   * @throws OptionException when a number is out of range, or the device cannot be used
   */
  public DataLoader(
      ImageFolderDataset dataset, InfiniteSampler sampler, int batch, int workers, Device device) {
    this(dataset, endless(sampler, checked(dataset, batch)), workers, device);
  }

  /**
   * Starts decoding batches that someone else chooses; after the last of them {@link #next()}
   * throws {@link java.util.NoSuchElementException}.
   *
   * @param dataset what is read
   * @param batches the items of each batch, 1 or more, in order; it belongs to the loader from now
   *     on, which asks it on this thread and on that of {@link #next()}
   * @param workers how many threads decode; 0 leaves it to {@link #next()}
   * @param device where the batches are wanted, as above
   * @throws OptionException when a number is out of range, or the device cannot be used
   */
  public DataLoader(
      ImageFolderDataset dataset, Iterator<int[]> batches, int workers, Device device) {
    if (workers < 0) {
      throw new OptionException("--workers must be 0 or more, but is " + workers);
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
      throw new OptionException("a batch has at least 1 image, not " + batch);
    }
    long bytes = (long) batch * dataset.channels() * dataset.resolution() * dataset.resolution();
    if (bytes > Integer.MAX_VALUE) {
      throw new OptionException("a batch of %s such images is too large".formatted(batch));
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
   * The next batch, as soon as it is decoded. Its tensors belong to the caller's scope, or to the
   * caller where there is none.
   *
   * @throws org.relaydiffusion.FileException naming the file when one cannot be read; so does every
   *     later call
   * @throws CancelledException when the thread is interrupted meanwhile; the batch stays the next
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
   * Waits until the next batches are decoded, so that as many calls of {@link #next()} neither wait
   * nor fail. From now on as many are kept ahead.
   *
   * @param count at least 1; where fewer are left, those
   * @throws org.relaydiffusion.RdmException as {@link #next()} does, for the first of them that fails
   * @throws CancelledException when the thread is interrupted meanwhile; no batch is lost
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

  /** Draws batches up to the number that is kept; with the lock, or before there are threads. */
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

  /** What a worker does until the loader is closed. */
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

  /** Fills one item, for which the lock is let go. */
  private void fillOne(PendingBatch open) {
    int item = open.begin();
    Throwable fault = null;
    lock.unlock();
    try {
      open.fill(item);
    } catch (Throwable e) {
      // Also errors: whatever it is has to reach the thread that waits for the batch.
      fault = e;
    } finally {
      lock.lock();
    }
    open.end(item, fault);
    if (open.isDone()) {
      itemIsDone.signalAll();
    }
  }

  /** Stops the threads and frees the batches that nobody took. Closing twice is allowed. */
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
          // Its picture is done in milliseconds; its memory must not go before.
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
