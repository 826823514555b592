package org.relaydiffusion.diffusion.data.convert;

/**
 * SplitMix64 (Steele, Lea and Flood 2014): a generator small enough to have one for each picture,
 * the same on every machine. Not safe for use by several threads.
 */
final class SplitMix64 {
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private long state;

  /** The generator of one picture of a set. */
  SplitMix64(long seed, long index) {
    this.state = mix(seed * GOLDEN + 1) ^ mix(index + GOLDEN);
  }

  long next() {
    state += GOLDEN;
    return mix(state);
  }

  /** A number in [0, 1) with 53 random bits. */
  double uniform() {
    return (next() >>> 11) * 0x1p-53;
  }

  /** A number in [low, high). */
  double uniform(double low, double high) {
    return low + (high - low) * uniform();
  }

  /** Whether a fair coin shows heads. */
  boolean heads() {
    return next() < 0;
  }

  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
