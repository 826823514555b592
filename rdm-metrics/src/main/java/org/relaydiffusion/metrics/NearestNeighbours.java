package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;

/**
 * The nearest reference images of some samples, by the Euclidean distance of their activations:
 * whether a model has learnt pictures by heart is seen by looking at them.
 */
public final class NearestNeighbours {
  /**
   * A row of the references beside a query.
   *
   * @param row its number, from 0 on
   * @param distance its Euclidean distance, float64
   */
  public record Neighbour(long row, double distance) {}

  private NearestNeighbours() {}

  /**
   * Finds the k nearest references of each query. The result is exact, whatever the threads.
   *
   * @param queries activations of some samples [Q, D]
   * @param references activations of the images that they are compared with [N, D], k or more
   * @param k how many to find, 1 or more
   * @return for each query in order its neighbours, the nearest first; of two that are equally far
   *     away the one with the lower number
   * @throws OptionException when k is less than 1
   * @throws RdmException when there are fewer references than k, a row is not finite, or the two
   *     have different numbers of dimensions
   */
  public static List<List<Neighbour>> of(
      Activations queries, Activations references, int k, WorkOptions work) {
    return of(queries, references, k, work, BlockPairs.Plan.of(queries.dimensions()));
  }

  static List<List<Neighbour>> of(
      Activations queries, Activations references, int k, WorkOptions work, BlockPairs.Plan plan) {
    if (k < 1) {
      throw new OptionException("the number of nearest neighbours must be 1 or more, not " + k);
    }
    if (references.count() < k) {
      throw new RdmException(
          "%s: the %s nearest images were asked for, but there are %s"
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
