// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;

/**
 * Finds the nearest reference images of samples, by the Euclidean distance of their activations.
 * They show whether a model has memorized training images.
 */
public final class NearestNeighbours {
  /**
   * A reference near a query.
   *
   * @param row its index, from 0 on
   * @param distance its Euclidean distance, float64
   */
  public record Neighbour(long row, double distance) {}

  private NearestNeighbours() {}

  /**
   * Finds the k nearest references of each query. The result is exact, and independent of the
   * number of threads.
   *
   * @param queries activations of some samples [Q, D]
   * @param references activations of the images to search [N, D], N at least k
   * @param k number of neighbours, at least 1
   * @param work threads, progress and cancellation
   * @return for each query in order its neighbours, the nearest first; ties are resolved by the
   *     lower index
   * @throws OptionException if k is less than 1
   * @throws RdmException if there are fewer references than k, a row is not finite, or the numbers
   *     of dimensions differ
   */
  public static List<List<Neighbour>> of(
      Activations queries, Activations references, int k, WorkOptions work) {
    return of(queries, references, k, work, BlockPairs.Plan.of(queries.dimensions()));
  }

  static List<List<Neighbour>> of(
      Activations queries, Activations references, int k, WorkOptions work, BlockPairs.Plan plan) {
    if (k < 1) {
      throw new OptionException("the number of nearest neighbours must be at least 1, but is " + k);
    }
    if (references.count() < k) {
      throw new RdmException(
          "%s: %s nearest images were requested, but there are only %s"
              .formatted(references.name(), k, references.count()));
    }
    Survey.requireSameDimensions(queries, references);
    NearestTable nearest = new NearestTable(queries.name(), queries.count(), k);
    long total = BlockPairs.workBetween(queries.count(), references.count());
    try (Workers workers = new Workers(work)) {
      Survey first = Survey.of(queries, workers);
      Float32View view = Float32View.of(first, Survey.of(references, workers));
      new BlockPairs(plan, workers, new ProgressMeter(work.listener(), total))
          .between(
              queries,
              references,
              view,
              new NearestScan(view.bounds(), nearest, NearestScan.Pairs.FIRST_IN_SECOND));
    }
    List<List<Neighbour>> all = new ArrayList<>();
    for (int row = 0; row < queries.count(); row++) {
      List<Neighbour> found = new ArrayList<>();
      for (int rank = 0; rank < k; rank++) {
        double distance = Math.sqrt(nearest.squaredDistance(row, rank));
        found.add(new Neighbour(nearest.neighbour(row, rank), distance));
      }
      all.add(List.copyOf(found));
    }
    return List.copyOf(all);
  }
}
