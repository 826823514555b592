// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The data set of a training run.
 *
 * @param path a folder or zip of square images of equal size
 * @param labels whether the network is conditional on their classes
 * @param xflip whether a mirrored copy of each image is added
 * @param maxSize maximum number of images; all if empty
 * @param cache whether decoded images are kept in memory
 * @param workers number of threads that decode ahead of the step, at least 0
 * @param without names of images to skip
 */
public record TrainingData(
    Path path,
    boolean labels,
    boolean xflip,
    OptionalInt maxSize,
    boolean cache,
    int workers,
    Set<String> without) {
  /** Copies the set. */
  public TrainingData {
    without = Set.copyOf(without);
  }

  /** Returns all images of a data set, with the defaults of the reference's training script. */
  public static TrainingData of(Path path) {
    return new TrainingData(path, false, false, OptionalInt.empty(), true, 1, Set.of());
  }

  /** Returns a builder that starts from this data set. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** Builds modified data sets. */
  public static final class Builder {
    private Path path;
    private boolean labels;
    private boolean xflip;
    private OptionalInt maxSize;
    private boolean cache;
    private int workers;
    private Set<String> without;

    private Builder(TrainingData from) {
      path = from.path;
      labels = from.labels;
      xflip = from.xflip;
      maxSize = from.maxSize;
      cache = from.cache;
      workers = from.workers;
      without = from.without;
    }

    /** Sets the folder or zip of the images. */
    public Builder path(Path value) {
      path = value;
      return this;
    }

    /** Sets whether the network is conditional on the classes of the images ({@code --cond}). */
    public Builder labels(boolean value) {
      labels = value;
      return this;
    }

    /** Sets whether a mirrored copy of each image is added ({@code --xflip}). */
    public Builder xflip(boolean value) {
      xflip = value;
      return this;
    }

    /** Sets the maximum number of images. */
    public Builder maxSize(int value) {
      maxSize = OptionalInt.of(value);
      return this;
    }

    /** Sets whether decoded images are kept in memory ({@code --cache}). */
    public Builder cache(boolean value) {
      cache = value;
      return this;
    }

    /** Sets the number of threads that decode ahead of the step ({@code --workers}). */
    public Builder workers(int value) {
      workers = value;
      return this;
    }

    /** Sets the names of images to skip. */
    public Builder without(Set<String> names) {
      without = names;
      return this;
    }

    /** Builds the data set. */
    public TrainingData build() {
      return new TrainingData(path, labels, xflip, maxSize, cache, workers, without);
    }
  }
}
