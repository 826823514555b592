// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.random;

import java.util.NoSuchElementException;
import java.util.PrimitiveIterator;
import org.jspecify.annotations.Nullable;

/**
 * The infinite order of training data, as in EDM: the items are shuffled once; then, in every pass,
 * each item that was read is swapped with a random one of those read shortly before it. With
 * several replicas, each takes every {@code replicas}-th item of the common order.
 *
 * <p>Not thread-safe.
 */
public final class InfiniteSampler implements PrimitiveIterator.OfInt {
  /** The reference's window: half of the data set. */
  public static final double DEFAULT_WINDOW = 0.5;

  private final int[] order;
  private final int rank;
  private final int replicas;
  private final @Nullable NumpyRandom random;
  private final long window;
  private long step;

  private InfiniteSampler(
      int size, int rank, int replicas, @Nullable NumpyRandom random, double windowSize) {
    if (size < 1) {
      throw new IllegalArgumentException("a data set must have at least 1 item, but has " + size);
    }
    if (rank < 0 || rank >= replicas) {
      throw new IllegalArgumentException(
          "rank %s is not one of %s replicas".formatted(rank, replicas));
    }
    if (!(windowSize >= 0 && windowSize <= 1)) {
      throw new IllegalArgumentException("a window must be in [0, 1], but is " + windowSize);
    }
    this.order = new int[size];
    for (int i = 0; i < size; i++) {
      order[i] = i;
    }
    this.rank = rank;
    this.replicas = replicas;
    this.random = random;
    this.window = (long) Math.rint(size * windowSize);
    if (random != null) {
      random.shuffle(order);
    }
  }

  /**
   * Returns a shuffled order.
   *
   * @param size number of items of the data set
   * @param rank this replica, 0 to {@code replicas - 1}
   * @param replicas number of replicas that share the data
   * @param seed of the order, 0 to 2^32 - 1; the same for all replicas
   * @param windowSize maximum distance of a swap, as a fraction (0 to 1) of the data set; below 2
   *     items nothing is swapped
   */
  public static InfiniteSampler shuffled(
      int size, int rank, int replicas, long seed, double windowSize) {
    return new InfiniteSampler(size, rank, replicas, new NumpyRandom(seed), windowSize);
  }

  /** Returns the items in order, repeatedly; parameters as in {@link #shuffled}. */
  public static InfiniteSampler inOrder(int size, int rank, int replicas) {
    return new InfiniteSampler(size, rank, replicas, null, 0);
  }

  /** Returns true. */
  @Override
  public boolean hasNext() {
    return true;
  }

  /** Returns the next item of this replica, 0 to size - 1. */
  @Override
  public int nextInt() {
    while (true) {
      if (step == Long.MAX_VALUE) {
        throw new NoSuchElementException("the order ends after 2^63 - 1 items");
      }
      int i = (int) (step % order.length);
      int item = order[i];
      boolean mine = step % replicas == rank;
      swapBack(i);
      step++;
      if (mine) {
        return item;
      }
    }
  }

  /** Skips the next {@code count} items of this replica, to resume a run. */
  public void skip(long count) {
    for (long i = 0; i < count; i++) {
      nextInt();
    }
  }

  private void swapBack(int i) {
    if (random != null && window >= 2) {
      int j = Math.floorMod(i - random.randint(window), order.length);
      int moved = order[i];
      order[i] = order[j];
      order[j] = moved;
    }
  }
}
