package org.relaydiffusion.diffusion.random;

/**
 * NumPy's legacy {@code RandomState}: the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998),
 * seeded as {@code np.random.RandomState(seed)}, with its shuffle and bounded integers to the bit.
 * It decides the order in which training sees its data.
 *
 * <p>Not safe for use by several threads at once.
 */
public final class NumpyRandom {
  private static final int N = 624;
  private static final int M = 397;
  private static final long UINT32 = 0xffff_ffffL;

  private final int[] key = new int[N];
  private int position = N;

  /**
   * Seeds a generator.
   *
   * @param seed 0 to 2^32 - 1, as NumPy asks
   * @throws IllegalArgumentException for any other
   */
  public NumpyRandom(long seed) {
    if (seed < 0 || seed > UINT32) {
      throw new IllegalArgumentException("a seed is 0 to 2^32 - 1, but this one is " + seed);
    }
    int word = (int) seed;
    for (int i = 0; i < N; i++) {
      key[i] = word;
      word = 1812433253 * (word ^ (word >>> 30)) + i + 1;
    }
  }

  /** The next 32 bits, as a number from 0 to 2^32 - 1. */
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

  /** {@code randint(high)}: a number from 0 to {@code high - 1}; draws nothing when that is 0. */
  public long randint(long high) {
    if (high < 1) {
      throw new IllegalArgumentException("randint needs a bound of at least 1, not " + high);
    }
    return upTo(high - 1);
  }

  /** {@code shuffle(array)}: in place, from the last element down (Fisher and Yates). */
  public void shuffle(int[] array) {
    for (int i = array.length - 1; i > 0; i--) {
      int j = (int) upTo(i);
      int moved = array[i];
      array[i] = array[j];
      array[j] = moved;
    }
  }

  /** A number from 0 to {@code max}: draws are cut to max's bits and those above it thrown away. */
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
