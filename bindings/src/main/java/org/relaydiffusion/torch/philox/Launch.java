// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.philox;

import java.lang.foreign.MemorySegment;

/**
 * One launch of a random kernel, as LibTorch divides it (the grid-stride loop of {@code
 * distribution_elementwise_grid_stride_kernel}): of T threads, thread i writes elements i, i + T,
 * ..., as many as a call gives, and then goes on with its next call, T times as many elements
 * later.
 *
 * @param seed the generator's seed
 * @param offset the generator's offset before the launch, a multiple of 4
 * @param maxBlocks how many blocks of 256 threads the GPU runs at once
 * @param kernel what is drawn
 * @param elements how many elements, at least 1
 */
public record Launch(long seed, long offset, int maxBlocks, Kernel kernel, long elements) {
  /** By how much a call advances the offset of each thread. */
  private static final int OFFSET_PER_CALL = 4;

  private static final int BLOCK = 256;

  /** So many threads of the launch are computed by one piece: some 50 microseconds. */
  private static final int PIECE = 8 * PhiloxWords.MOST;

  /** Returns T. */
  private long threads() {
    return BLOCK * Math.min(maxBlocks, Math.ceilDiv(elements, (long) BLOCK));
  }

  private long elementsPerCall() {
    return threads() * kernel.elementsPerCall();
  }

  private long calls() {
    return Math.ceilDiv(elements, elementsPerCall());
  }

  private long piecesPerCall() {
    return Math.ceilDiv(threads(), (long) PIECE);
  }

  /** Returns the generator's offset after the launch. */
  public long nextOffset() {
    return offset + OFFSET_PER_CALL * calls();
  }

  /** Returns into how many pieces the launch is divided, which can be computed concurrently. */
  public int pieces() {
    return Math.toIntExact(calls() * piecesPerCall());
  }

  /**
   * Computes the elements of one piece.
   *
   * @param piece 0 to {@link #pieces()} - 1
   * @param out the memory of all elements
   */
  public void compute(int piece, MemorySegment out) {
    long call = piece / piecesPerCall();
    long begin = piece % piecesPerCall() * PIECE;
    long end = Math.min(begin + PIECE, threads());
    Kernel.Worker worker = kernel.worker();
    PhiloxWords words = new PhiloxWords();
    for (long thread = begin; thread < end; thread += PhiloxWords.MOST) {
      int count = (int) Math.min(PhiloxWords.MOST, end - thread);
      write(worker, words, call, thread, count, out);
    }
  }

  private void write(
      Kernel.Worker worker,
      PhiloxWords words,
      long call,
      long thread,
      int count,
      MemorySegment out) {
    long first = call * elementsPerCall() + thread;
    if (first >= elements) {
      return;
    }
    words.compute(seed, offset / OFFSET_PER_CALL + call, thread, count);
    for (int k = 0; k < kernel.elementsPerCall(); k++) {
      long element = first + k * threads();
      int present = (int) Math.min(count, elements - element);
      if (present <= 0) {
        return;
      }
      worker.write(words, present, k, out, element);
    }
  }
}
