// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.philox;

import java.lang.foreign.MemorySegment;

/** What becomes of the four words of each thread of a launch. */
public interface Kernel {
  /** Returns the number of elements that a thread makes of one call's words: 2 or 4. */
  int elementsPerCall();

  /** Returns the bytes of an element. */
  int elementBytes();

  /** Returns a worker with buffers of its own, for one thread of the CPU. */
  Worker worker();

  /** Makes elements of words. */
  interface Worker {
    /**
     * Writes element {@code k} of each of the first {@code threads} threads, which follow one
     * another in memory. For the same words it is called with k = 0, 1, ..., and with no more
     * threads than for the k before.
     */
    void write(PhiloxWords words, int threads, int k, MemorySegment out, long firstElement);
  }
}
