// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;

/**
 * Precision and recall of samples with respect to reference images (Kynkaanniemi et al., 2019,
 * arXiv 1904.06991): how many samples resemble the references, and how much of the references'
 * variety the samples cover. The manifold of a set is the union of balls around its rows; the
 * radius of each is the distance to the k-th nearest neighbour in the set.
 *
 * <p>Distances are squared and float64, radii are rounded to float32, and a distance equal to the
 * radius is inside. This is decided exactly: float32 products only exclude what is certain.
 *
 * @param k the ball around a row reaches to its k-th nearest neighbour
 * @param samples the number of samples
 * @param samplesInside how many of them are inside the references' manifold
 * @param references the number of references
 * @param referencesInside how many of them are inside the samples' manifold
 */
public record PrecisionRecall(
    int k, long samples, long samplesInside, long references, long referencesInside) {
  /** The paper's k. */
  public static final int DEFAULT_K = 3;

  /** Returns the fraction of the samples inside the references' manifold, 0 to 1. */
  public double precision() {
    return (double) samplesInside / samples;
  }

  /** Returns the fraction of the references inside the samples' manifold, 0 to 1. */
  public double recall() {
    return (double) referencesInside / references;
  }

  /**
   * Compares two sets. Nearly all of the work is the products of all pairs of rows; at most some
   * ten thousand rows of Inception features are in memory at a time.
   *
   * @param samples activations of generated images, at least k + 1
   * @param references activations of real images, at least k + 1, with the same number of
   *     dimensions
   * @param k the ball around a row reaches to its k-th nearest neighbour; at least 1
   * @param work threads, progress and cancellation
   * @throws OptionException if k is less than 1
   * @throws RdmException if a set has too few rows, or one that is not finite, or the numbers of
   *     dimensions differ
   */
  public static PrecisionRecall of(
      Activations samples, Activations references, int k, WorkOptions work) {
    return of(samples, references, k, work, BlockPairs.Plan.of(samples.dimensions()));
  }

  static PrecisionRecall of(
      Activations samples, Activations references, int k, WorkOptions work, BlockPairs.Plan plan) {
    check(samples, references, k);
    try (Workers workers = new Workers(work)) {
      Survey first = Survey.of(samples, workers);
      Survey second = Survey.of(references, workers);
      long total =
          BlockPairs.workWithin(samples.count())
              + BlockPairs.workWithin(references.count())
              + BlockPairs.workBetween(samples.count(), references.count());
      BlockPairs pairs = new BlockPairs(plan, workers, new ProgressMeter(work.listener(), total));
      float[] radii = radii(samples, Float32View.of(first), k, pairs);
      float[] referenceRadii = radii(references, Float32View.of(second), k, pairs);
      Float32View both = Float32View.of(first, second);
      ManifoldScan balls = new ManifoldScan(both.bounds(), radii, referenceRadii);
      pairs.between(samples, references, both, balls);
      return new PrecisionRecall(
          k, samples.count(), balls.insideA(), references.count(), balls.insideB());
    }
  }

  /** Returns the squared distances of the rows' k-th nearest neighbours, rounded to float32. */
  static float[] radii(Activations rows, Float32View view, int k, BlockPairs pairs) {
    NearestTable nearest = new NearestTable(rows.name(), rows.count(), k);
    pairs.within(rows, view, new NearestScan(view.bounds(), nearest, NearestScan.Pairs.WITHIN));
    float[] radii = new float[(int) rows.count()];
    for (int i = 0; i < radii.length; i++) {
      radii[i] = (float) nearest.squaredDistance(i, k - 1);
    }
    return radii;
  }

  /** Rejects sets that cannot be compared, without reading rows. */
  static void check(Activations samples, Activations references, int k) {
    if (k < 1) {
      throw new OptionException("--k must be at least 1, but is " + k);
    }
    for (Activations set : new Activations[] {samples, references}) {
      if (set.count() <= k) {
        throw new RdmException(
            "%s: precision and recall with --k %s require at least %s images, but there are %s"
                .formatted(set.name(), k, k + 1L, set.count()));
      }
    }
    Survey.requireSameDimensions(samples, references);
  }
}
