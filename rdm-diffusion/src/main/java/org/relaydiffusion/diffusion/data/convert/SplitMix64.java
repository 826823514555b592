// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

/**
 * SplitMix64 (Steele, Lea and Flood 2014): a generator that is cheap enough to create one for each
 * image, with the same results on every machine. Not thread-safe.
 */
final class SplitMix64 {
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private long state;

  /** Creates the generator of one image of a set. */
  SplitMix64(long seed, long index) {
    this.state = mix(seed * GOLDEN + 1) ^ mix(index + GOLDEN);
  }

  long next() {
    state += GOLDEN;
    return mix(state);
  }

  /** Returns a number in [0, 1) with 53 random bits. */
  double uniform() {
    return (next() >>> 11) * 0x1p-53;
  }

  /** Returns a number in [low, high). */
  double uniform(double low, double high) {
    return low + (high - low) * uniform();
  }

  /** Returns true or false with equal probability. */
  boolean heads() {
    return next() < 0;
  }

  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
