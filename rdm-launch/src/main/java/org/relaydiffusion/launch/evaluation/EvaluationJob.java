// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.metrics.InceptionScore;
import org.relaydiffusion.metrics.SpatialOrder;

/**
 * A request to compute metrics from activation files.
 *
 * @param sample the file of the samples
 * @param reference the file of the reference set
 * @param metrics the metrics to compute, in this order; duplicates are ignored
 * @param neighbours k of precision and recall
 * @param score parameters of the Inception Score
 * @param spatialOrder the order of the spatial features in both files, if it is not the one implied
 *     by the names of the arrays
 * @param threads number of threads; LibTorch's number if empty
 */
public record EvaluationJob(
    Path sample,
    Optional<Path> reference,
    List<Metric> metrics,
    int neighbours,
    InceptionScore.Options score,
    Optional<SpatialOrder> spatialOrder,
    OptionalInt threads) {
  /**
   * Checks the combination of values.
   *
   * @throws OptionException naming the option that is missing or out of range
   */
  public EvaluationJob {
    metrics = metrics.stream().distinct().toList();
    if (metrics.isEmpty()) {
      throw new OptionException("--metrics is empty: expected fid, sfid, is or pr");
    }
    if (neighbours < 1) {
      throw new OptionException("--k must be at least 1, but is " + neighbours);
    }
    for (Metric metric : metrics) {
      if (metric.needsReference() && reference.isEmpty()) {
        throw new OptionException(
            "--activations_ref is missing: %s compares the samples with it"
                .formatted(metric.title()));
      }
    }
  }
}
