// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * Draws of the CPU for networks on CUDA, made by other threads before they are asked for, in pinned
 * memory, from which they are copied while the CPU goes on. A sampler nearly always repeats its
 * last draw, so once one was repeated, the next two like it are begun. If another is asked for, the
 * generators are set back to where they were: the numbers are always those of the draws that were
 * asked for, in order.
 *
 * <p>Used by one thread at a time.
 */
final class DrawsAhead implements AutoCloseable {
  /** Normal and block noise are drawn one right after the other. */
  private static final int DEPTH = 2;

  private final List<Generator> generators;
  private final Device device;
  private final ExecutorService threads;

  /** The draws that were begun and not asked for, all alike. */
  private final Deque<Pending> pending = new ArrayDeque<>();

  /** The last draw of each generator that was begun. */
  private final List<CompletableFuture<Void>> last = new ArrayList<>();

  private @Nullable Pending previous;

  /**
   * Starts the threads.
   *
   * @param generators of the images, at least one, on the CPU; the caller closes them after this
   * @param device where the numbers are used
   */
  DrawsAhead(List<Generator> generators, Device device) {
    this.generators = List.copyOf(generators);
    this.device = device;
    generators.forEach(_ -> last.add(CompletableFuture.completedFuture(null)));
    threads =
        Executors.newFixedThreadPool(
            Math.min(generators.size(), NativeThreads.threads()), DrawsAhead::thread);
  }

  private static Thread thread(Runnable loop) {
    return Thread.ofPlatform()
        .daemon()
        .name("rdm-noise")
        .unstarted(() -> {
          NativeThreads.useThisThreadAlone();
          loop.run();
        });
  }

  /** Returns the shape of {@code images} blocks of {@code sizes}. */
  static long[] batchOf(int images, long... sizes) {
    return LongStream.concat(LongStream.of(images), Arrays.stream(sizes)).toArray();
  }

  /** One draw of all generators. */
  private final class Pending implements AutoCloseable {
    final DType dtype;
    final long[] sizes;
    final Tensor batch;
    final byte[][] before = new byte[generators.size()][];
    final List<CompletableFuture<Void>> rows = new ArrayList<>();

    Pending(DType dtype, long[] sizes) {
      this.dtype = dtype;
      this.sizes = sizes.clone();
      long[] shape = batchOf(generators.size(), sizes);
      // LibTorch has no memory to pin for an empty tensor.
      boolean isPinned =
          device.type() == Device.Type.CUDA && Arrays.stream(shape).allMatch(s -> s > 0);
      Tensor made =
          isPinned ? Torch.emptyPinned(dtype, shape) : Torch.empty(dtype, Device.CPU, shape);
      batch = made.release();
    }

    /** Draws one image's numbers, after all earlier ones of its generator. */
    void begin(int k) {
      CompletableFuture<Void> row = last.get(k).thenRunAsync(() -> draw(k), threads);
      last.set(k, row);
      rows.add(row);
    }

    private void draw(int k) {
      Generator generator = generators.get(k);
      before[k] = generator.state();
      try (GradMode _ = GradMode.noGrad();
          Tensor row = Shapes.narrow(batch, 0, k, 1)) {
        Generator.fillNormal(List.of(generator), row);
      }
    }

    boolean isLike(DType otherType, long[] otherSizes) {
      return dtype == otherType && Arrays.equals(sizes, otherSizes);
    }

    void await() {
      try {
        rows.forEach(CompletableFuture::join);
      } catch (CompletionException e) {
        switch (e.getCause()) {
          case RuntimeException known -> throw known;
          case Error error -> throw error;
          case null, default -> throw new IllegalStateException(e);
        }
      }
    }

    /** Waits for the threads that write into the memory. */
    @Override
    public void close() {
      rows.forEach(row -> row.handle((_, _) -> null).join());
      batch.close();
    }
  }

  /** Draws standard normal numbers: [N, sizes...] on the device. */
  Tensor randn(DType dtype, long... sizes) {
    boolean isRepeated = previous != null && previous.isLike(dtype, sizes);
    if (!isRepeated) {
      discard();
    }
    Pending draw = pending.isEmpty() ? begin(dtype, sizes) : pending.remove();
    try (draw) {
      previous = draw;
      while (isRepeated && pending.size() < DEPTH) {
        pending.add(begin(dtype, sizes));
      }
      draw.await();
      return Shapes.toAsync(draw.batch, device);
    }
  }

  private Pending begin(DType dtype, long[] sizes) {
    Pending draw = new Pending(dtype, sizes);
    for (int k = 0; k < generators.size(); k++) {
      draw.begin(k);
    }
    return draw;
  }

  /** Sets the generators back to where they are after the draws that were asked for. */
  void discard() {
    Pending first = pending.peek();
    try {
      if (first != null) {
        pending.forEach(Pending::await);
        for (int k = 0; k < generators.size(); k++) {
          generators.get(k).restore(first.before[k]);
        }
      }
    } finally {
      drop();
      previous = null;
    }
  }

  private void drop() {
    pending.forEach(Pending::close);
    pending.clear();
  }

  /** Ends the threads; the generators may be anywhere afterwards. */
  @Override
  public void close() {
    drop();
    threads.close();
  }
}
