package org.relaydiffusion.diffusion.data;

import java.util.OptionalInt;
import java.util.Set;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.random.Subset;

/**
 * Which part of a data set is used, and how.
 *
 * @param useLabels whether {@code dataset.json} is read; without it every label has length 0
 * @param xflip whether each picture also occurs mirrored left to right, after all the others
 * @param maxSize the most pictures that are used, at least 1 (before mirroring); all when empty
 * @param seed of the draw of those pictures
 * @param cache whether decoded pictures are kept in memory, up to half of the JVM's largest heap
 * @param resolution the side that pictures must have, in pixels; whatever they have when empty
 * @param without names of pictures that are left out, as {@link PictureCheck} finds them
 */
public record DatasetOptions(
    boolean useLabels,
    boolean xflip,
    OptionalInt maxSize,
    long seed,
    boolean cache,
    OptionalInt resolution,
    Set<String> without) {
  /** All pictures, without labels, mirrored ones or cache. */
  public static final DatasetOptions DEFAULT =
      new DatasetOptions(
          false, false, OptionalInt.empty(), 0, false, OptionalInt.empty(), Set.of());

  /**
   * Checks the numbers.
   *
   * @throws OptionException when the most pictures or the side is below 1
   */
  public DatasetOptions {
    without = Set.copyOf(without);
    if (maxSize.isPresent() && maxSize.getAsInt() < 1) {
      throw new OptionException(
          "a data set's maximum size must be at least 1, but is " + maxSize.getAsInt());
    }
    if (resolution.isPresent() && resolution.getAsInt() < 1) {
      throw new OptionException(
          "a data set's resolution must be at least 1, but is " + resolution.getAsInt());
    }
  }

  /** Which of {@code size} pictures are used, none of them mirrored. */
  Subset drawnFrom(int size) {
    return maxSize.isPresent() ? Subset.drawn(size, maxSize.getAsInt(), seed) : Subset.all(size);
  }

  /** These with labels. */
  public DatasetOptions withLabels() {
    return new DatasetOptions(true, xflip, maxSize, seed, cache, resolution, without);
  }

  /** These with each picture also mirrored left to right. */
  public DatasetOptions withMirrored() {
    return new DatasetOptions(useLabels, true, maxSize, seed, cache, resolution, without);
  }

  /** These with at most {@code size} pictures, drawn by {@code seed}. */
  public DatasetOptions withAtMost(int size, long seed) {
    return new DatasetOptions(
        useLabels, xflip, OptionalInt.of(size), seed, cache, resolution, without);
  }

  /** These with decoded pictures kept in memory. */
  public DatasetOptions withCache() {
    return new DatasetOptions(useLabels, xflip, maxSize, seed, true, resolution, without);
  }

  /** These with pictures that must be {@code side} pixels wide and high. */
  public DatasetOptions withResolution(int side) {
    return new DatasetOptions(
        useLabels, xflip, maxSize, seed, cache, OptionalInt.of(side), without);
  }

  /** These without some pictures. */
  public DatasetOptions without(Set<String> names) {
    return new DatasetOptions(useLabels, xflip, maxSize, seed, cache, resolution, names);
  }
}
