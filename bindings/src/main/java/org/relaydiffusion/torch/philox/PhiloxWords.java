// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.philox;

/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) of consecutive
 * threads: four 32-bit words for each. The key is the seed, the counter consists of the number of
 * the call and that of the thread.
 *
 * <p>Words are kept in longs, and each round is a loop of its own over short arrays: in that form
 * the compiler uses vector instructions.
 */
final class PhiloxWords {
  /** The largest number of threads whose words are held at once: they fit into the L1 cache. */
  static final int MOST = 512;

  private static final long LOW = 0xffff_ffffL;
  private static final int HIGH = 32;
  private static final long MULTIPLIER_0 = 0xd251_1f53L;
  private static final long MULTIPLIER_1 = 0xcd9e_8d57L;
  private static final long WEYL_0 = 0x9e37_79b9L;
  private static final long WEYL_1 = 0xbb67_ae85L;
  private static final int ROUNDS = 10;

  private final long[][] words = new long[4][MOST];
  private int count;

  /** Returns how many threads' words are held. */
  int count() {
    return count;
  }

  /** Returns word 0 to 3 of every thread: 0 to 2^32 - 1. The array belongs to this object. */
  long[] word(int k) {
    return words[k];
  }

  /**
   * Computes the words of some threads.
   *
   * @param seed the key
   * @param call the number of the call, the low half of the counter
   * @param firstThread the first thread; their numbers are the high half of the counter
   * @param threads how many, at most {@link #MOST}
   */
  void compute(long seed, long call, long firstThread, int threads) {
    count = threads;
    long[] c0 = words[0];
    long[] c1 = words[1];
    long[] c2 = words[2];
    long[] c3 = words[3];
    for (int i = 0; i < threads; i++) {
      long thread = firstThread + i;
      c0[i] = call;
      c1[i] = call >>> HIGH;
      c2[i] = thread;
      c3[i] = thread >>> HIGH;
    }
    long k0 = seed & LOW;
    long k1 = seed >>> HIGH;
    for (int r = 0; r < ROUNDS; r++) {
      round(c0, c1, c2, c3, threads, k0 + r * WEYL_0, k1 + r * WEYL_1);
    }
    for (int i = 0; i < threads; i++) {
      c0[i] &= LOW;
      c1[i] &= LOW;
      c2[i] &= LOW;
      c3[i] &= LOW;
    }
  }

  /** The upper halves of the counters and keys may hold anything: only products are masked. */
  private static void round(
      long[] c0, long[] c1, long[] c2, long[] c3, int threads, long k0, long k1) {
    for (int i = 0; i < threads; i++) {
      long p = (c0[i] & LOW) * MULTIPLIER_0;
      long q = (c2[i] & LOW) * MULTIPLIER_1;
      c0[i] = (q >>> HIGH) ^ c1[i] ^ k0;
      c1[i] = q;
      c2[i] = (p >>> HIGH) ^ c3[i] ^ k1;
      c3[i] = p;
    }
  }
}
