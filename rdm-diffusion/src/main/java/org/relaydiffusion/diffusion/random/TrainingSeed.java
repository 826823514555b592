package org.relaydiffusion.diffusion.random;

/** The seed that each process of a training run gives to its generators. */
public final class TrainingSeed {
  private TrainingSeed() {}

  /**
   * The seed for LibTorch: {@code RandomState((seed world + rank) mod 2^31).randint(2^31)}.
   *
   * @param seed the run's seed
   * @param rank this process, 0 to {@code worldSize - 1}
   * @param worldSize how many processes there are
   * @return 0 to 2^31 - 1
   */
  public static long of(long seed, int rank, int worldSize) {
    if (rank < 0 || rank >= worldSize) {
      throw new IllegalArgumentException(
          "rank %s is not one of %s processes".formatted(rank, worldSize));
    }
    // Wrapping around 2^64 does not matter to a remainder by 2^31.
    return new NumpyRandom(Math.floorMod(seed * worldSize + rank, 1L << 31)).randint(1L << 31);
  }
}
