// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.util.OptionalInt;
import java.util.Set;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.random.Subset;

/**
 * The selected part of a data set, and how it is used.
 *
 * @param useLabels whether {@code dataset.json} is read; otherwise all labels have length 0
 * @param xflip whether each image also occurs mirrored left to right, after all others
 * @param maxSize the maximum number of images, at least 1 (before mirroring); all if empty
 * @param seed of the random subset
 * @param cache whether decoded images are kept in memory, up to half of the JVM's maximum heap
 * @param resolution the required side of the images, in pixels; any if empty
 * @param without names of images to skip, as found by {@link PictureCheck}
 */
public record DatasetOptions(
    boolean useLabels,
    boolean xflip,
    OptionalInt maxSize,
    long seed,
    boolean cache,
    OptionalInt resolution,
    Set<String> without) {
  /** All images, without labels, mirroring or cache. */
  public static final DatasetOptions DEFAULT =
      new DatasetOptions(
          false, false, OptionalInt.empty(), 0, false, OptionalInt.empty(), Set.of());

  /**
   * Checks the values.
   *
   * @throws OptionException if the maximum size or the resolution is below 1
   */
  public DatasetOptions {
    without = Set.copyOf(without);
    if (maxSize.isPresent() && maxSize.getAsInt() < 1) {
      throw new OptionException(
          "the maximum size of a data set must be at least 1, but is " + maxSize.getAsInt());
    }
    if (resolution.isPresent() && resolution.getAsInt() < 1) {
      throw new OptionException(
          "the resolution of a data set must be at least 1, but is " + resolution.getAsInt());
    }
  }

  /** Returns the indices of the selected images among {@code size}, without mirroring. */
  Subset drawnFrom(int size) {
    return maxSize.isPresent() ? Subset.drawn(size, maxSize.getAsInt(), seed) : Subset.all(size);
  }

  /** Returns these options with labels. */
  public DatasetOptions withLabels() {
    return new DatasetOptions(true, xflip, maxSize, seed, cache, resolution, without);
  }

  /** Returns these options with each image also mirrored left to right. */
  public DatasetOptions withMirrored() {
    return new DatasetOptions(useLabels, true, maxSize, seed, cache, resolution, without);
  }

  /** Returns these options with at most {@code size} images, selected with {@code seed}. */
  public DatasetOptions withAtMost(int size, long seed) {
    return new DatasetOptions(
        useLabels, xflip, OptionalInt.of(size), seed, cache, resolution, without);
  }

  /** Returns these options with decoded images kept in memory. */
  public DatasetOptions withCache() {
    return new DatasetOptions(useLabels, xflip, maxSize, seed, true, resolution, without);
  }

  /** Returns these options with images required to be {@code side} pixels wide and high. */
  public DatasetOptions withResolution(int side) {
    return new DatasetOptions(
        useLabels, xflip, maxSize, seed, cache, OptionalInt.of(side), without);
  }

  /** Returns these options without some images. */
  public DatasetOptions without(Set<String> names) {
    return new DatasetOptions(useLabels, xflip, maxSize, seed, cache, resolution, names);
  }
}
