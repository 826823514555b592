package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.metrics.InceptionScore;
import org.relaydiffusion.metrics.SpatialOrder;

/**
 * What is to be computed from activation files.
 *
 * @param sample the samples' file
 * @param reference the reference set's file
 * @param metrics what to compute, in this order; each counts once
 * @param neighbours k of precision and recall
 * @param score how the inception score is computed
 * @param spatialOrder the order of spatial features in both files, if it is not what their arrays'
 *     names stand for
 * @param threads that share the work; as many as LibTorch uses when empty
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
   * Checks what belongs together.
   *
   * @throws OptionException naming the option that is missing or out of range
   */
  public EvaluationJob {
    metrics = metrics.stream().distinct().toList();
    if (metrics.isEmpty()) {
      throw new OptionException("--metrics names none: fid, sfid, is and pr are known");
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
