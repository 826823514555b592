// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import org.relaydiffusion.metrics.TraceOfRoot.Factor;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;

/**
 * Distances of sets with a low-rank covariance, from fewer samples than dimensions: they are
 * computed from the samples, and no [D, D] matrix is decomposed.
 */
final class FewRows {
  private FewRows() {}

  /**
   * Returns the distance of two such sets, from the singular values of the product of their rows.
   */
  static FrechetDistance distance(CentredRows a, CentredRows b, Workers workers) {
    CovarianceSummary[] summaries = new CovarianceSummary[2];
    double[] trace = new double[1];
    workers.run(
        3,
        task -> {
          switch (task) {
            case 0 ->
                trace[0] =
                    TraceOfRoot.ofRows(a.rows(), b.rows(), Math.min(a.maxRank(), b.maxRank()));
            case 1 -> summaries[0] = a.summary();
            default -> summaries[1] = b.summary();
          }
          return task;
        },
        _ -> {});
    double shift = FrechetDistance.squaredShift(a.mean(), b.mean());
    return new FrechetDistance(shift, summaries[0], summaries[1], trace[0]);
  }

  /** Returns the distance of one such set from moments. */
  static FrechetDistance distance(CentredRows a, Moments b, Workers workers) {
    CovarianceSummary[] summaries = new CovarianceSummary[2];
    double[] trace = new double[1];
    long rank = Math.min(a.maxRank(), b.maxRank());
    try (Tensor factor = Shapes.transpose(a.rows(), 0, 1).release();
        Tensor inner = TraceOfRoot.inner(factor, Factor.FULL, b.covariance(), workers)) {
      workers.run(
          3,
          task -> {
            switch (task) {
              case 0 -> trace[0] = TraceOfRoot.ofInner(inner, rank);
              case 1 -> summaries[0] = a.summary();
              default ->
                  summaries[1] = MomentsPair.summary(b, MomentsPair.choleskyFactor(b).orElse(null));
            }
            return task;
          },
          _ -> {});
    }
    double shift = FrechetDistance.squaredShift(a.mean(), b.mean());
    return new FrechetDistance(shift, summaries[0], summaries[1], trace[0]);
  }
}
