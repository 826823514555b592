// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.random;

/**
 * NumPy's legacy {@code RandomState}: the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998),
 * seeded as {@code np.random.RandomState(seed)}, with bit-identical shuffle and bounded integers.
 * It determines the order of training data.
 *
 * <p>Not thread-safe.
 */
public final class NumpyRandom {
  private static final int N = 624;
  private static final int M = 397;
  private static final long UINT32 = 0xffff_ffffL;

  private final int[] key = new int[N];
  private int position = N;

  /**
   * Creates a generator.
   *
   * @param seed 0 to 2^32 - 1, as in NumPy
   * @throws IllegalArgumentException if the seed is out of range
   */
  public NumpyRandom(long seed) {
    if (seed < 0 || seed > UINT32) {
      throw new IllegalArgumentException("the seed must be 0 to 2^32 - 1, but is " + seed);
    }
    int word = (int) seed;
    for (int i = 0; i < N; i++) {
      key[i] = word;
      word = 1812433253 * (word ^ (word >>> 30)) + i + 1;
    }
  }

  /** Returns the next 32 bits, as a number from 0 to 2^32 - 1. */
  public long nextUint32() {
    if (position == N) {
      refill();
    }
    int y = key[position++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return Integer.toUnsignedLong(y);
  }

  /**
   * Returns {@code randint(high)}: a number from 0 to {@code high - 1}; draws nothing if that is 0.
   */
  public long randint(long high) {
    if (high < 1) {
      throw new IllegalArgumentException(
          "randint requires a bound of at least 1, but found " + high);
    }
    return upTo(high - 1);
  }

  /** Performs {@code shuffle(array)}: in place, from the last element down (Fisher-Yates). */
  public void shuffle(int[] array) {
    for (int i = array.length - 1; i > 0; i--) {
      int j = (int) upTo(i);
      int moved = array[i];
      array[i] = array[j];
      array[j] = moved;
    }
  }

  /**
   * Returns a number from 0 to {@code max}: draws are masked to the bits of max, and larger values
   * are rejected.
   */
  private long upTo(long max) {
    if (max == 0) {
      return 0;
    }
    long mask = -1L >>> Long.numberOfLeadingZeros(max);
    long value;
    do {
      value = mask & (max <= UINT32 ? nextUint32() : nextUint32() << 32 | nextUint32());
    } while (value > max);
    return value;
  }

  private void refill() {
    for (int i = 0; i < N; i++) {
      int y = (key[i] & 0x80000000) | (key[(i + 1) % N] & 0x7fffffff);
      key[i] = key[(i + M) % N] ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
    }
    position = 0;
  }
}
