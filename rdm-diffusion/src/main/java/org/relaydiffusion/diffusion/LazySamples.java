// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.atomic.AtomicBoolean;

/** The images of one request, sampled batch by batch. */
final class LazySamples implements Samples {
  private final SampleRequest request;
  private final List<long[]> batches;
  private final long size;
  private final BatchMaker maker;
  private final ProgressListener listener;
  private final AtomicBoolean taken = new AtomicBoolean();
  private volatile boolean closed;

  /** Samples the images of one batch of seeds. */
  @FunctionalInterface
  interface BatchMaker {
    List<Sample> make(long[] seeds, BatchSampler.StageListener listener);
  }

  LazySamples(SampleRequest request, BatchMaker maker, ProgressListener listener) {
    this.request = request;
    this.maker = maker;
    this.listener = listener;
    batches = request.seeds().batches(request.batch(), request.rank(), request.worldSize());
    size = batches.stream().mapToLong(b -> b.length).sum();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public Iterator<Sample> iterator() {
    if (taken.getAndSet(true)) {
      throw new IllegalStateException(
          "samples can only be iterated once; request them from the pipeline again");
    }
    return new Walk();
  }

  @Override
  public void close() {
    closed = true;
  }

  private final class Walk implements Iterator<Sample> {
    private final Deque<Sample> ready = new ArrayDeque<>();
    private int nextBatch;
    private long done;

    @Override
    public boolean hasNext() {
      while (ready.isEmpty() && nextBatch < batches.size() && !closed) {
        long[] seeds = batches.get(nextBatch);
        if (seeds.length > 0) {
          request.cancellation().check();
          int batch = nextBatch;
          ready.addAll(
              maker.make(
                  seeds,
                  (stage, step, steps, preview) -> {
                    request.cancellation().check();
                    listener.stepDone(
                        new Progress(
                            stage, step, steps, batch, batches.size(), done, size, preview));
                  }));
          done += seeds.length;
        }
        nextBatch++;
      }
      return !ready.isEmpty() && !closed;
    }

    @Override
    public Sample next() {
      if (!hasNext()) {
        throw new NoSuchElementException("all %s samples have been returned".formatted(size));
      }
      return ready.remove();
    }
  }
}
