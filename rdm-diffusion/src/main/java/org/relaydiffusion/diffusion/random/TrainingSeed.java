// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.random;

/** Computes the seed of the generators of each process of a training run. */
public final class TrainingSeed {
  private TrainingSeed() {}

  /**
   * Returns the seed for LibTorch: {@code RandomState((seed world + rank) mod 2^31).randint(2^31)}.
   *
   * @param seed the seed of the run
   * @param rank this process, 0 to {@code worldSize - 1}
   * @param worldSize number of processes
   * @return 0 to 2^31 - 1
   */
  public static long of(long seed, int rank, int worldSize) {
    if (rank < 0 || rank >= worldSize) {
      throw new IllegalArgumentException(
          "rank %s is not one of %s processes".formatted(rank, worldSize));
    }
    // Wrapping around 2^64 does not affect a remainder by 2^31.
    return new NumpyRandom(Math.floorMod(seed * worldSize + rank, 1L << 31)).randint(1L << 31);
  }
}
