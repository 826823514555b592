// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.inception.OutputLayer;

/**
 * The metrics of the paper's tables, computed from two sets of images: an {@link ActivationsFile},
 * an {@link ActivationCollector} to which images are added, or arrays ({@link
 * ActivationSet#of(Activations)}).
 *
 * <pre>{@code
 * try (Inception inception = Inception.open(weights, LoadOptions.DEFAULT);
 *     ActivationCollector samples = new ActivationCollector("samples", inception);
 *     ActivationsFile reference = ActivationsFile.open(Path.of("imagenet.npz"))) {
 *   for (Tensor images : batches) { // uint8 [N, C, H, W]
 *     samples.add(images);
 *   }
 *   WorkOptions work = WorkOptions.defaults();
 *   double fid = Metrics.fid(samples, reference, work).distance();
 *   double recall = Metrics.precisionRecall(samples, reference, 3, work).recall();
 * }
 * }</pre>
 *
 * <p>The methods do not modify or close the sets.
 */
public final class Metrics {
  private static final String MANIFOLDS = "precision and recall";

  private Metrics() {}

  /**
   * Computes FID (Heusel et al., 2017, arXiv 1706.08500): the Frechet distance between pool
   * features; 0 for equal sets.
   *
   * @throws RdmException naming the set that lacks required features, or is not finite
   */
  public static FrechetDistance fid(
      ActivationSet samples, ActivationSet reference, WorkOptions work) {
    return frechet(samples, reference, Feature.POOL, "FID", work);
  }

  /**
   * Computes sFID (Nash et al., 2021, arXiv 2103.03841): the Frechet distance between spatial
   * features.
   *
   * @throws RdmException naming the set that lacks required features, or is not finite
   */
  public static FrechetDistance sfid(
      ActivationSet samples, ActivationSet reference, WorkOptions work) {
    return frechet(samples, reference, Feature.SPATIAL, "sFID", work);
  }

  /**
   * Computes the Inception Score (Salimans et al., 2016, arXiv 1606.03498) of the samples alone.
   *
   * @param output the last layer of the network, such as {@code Inception.output()}
   * @throws RdmException if the samples have no activations, or they are not finite
   */
  public static InceptionScore inceptionScore(
      ActivationSet samples, OutputLayer output, InceptionScore.Options options, WorkOptions work) {
    return InceptionScore.of(
        samples.activations(Feature.POOL, "the Inception Score"), output, options, work);
  }

  /**
   * Computes precision and recall (Kynkaanniemi et al., 2019, arXiv 1904.06991) between pool
   * features.
   *
   * @param k the ball around a row reaches to its k-th nearest neighbour; at least 1
   * @throws RdmException naming the set that has no activations, too few, or one that is not finite
   */
  public static PrecisionRecall precisionRecall(
      ActivationSet samples, ActivationSet reference, int k, WorkOptions work) {
    return PrecisionRecall.of(
        samples.activations(Feature.POOL, MANIFOLDS),
        reference.activations(Feature.POOL, MANIFOLDS),
        k,
        work);
  }

  /**
   * Rejects sets that {@link #fid} or {@link #sfid} cannot compare, without reading rows.
   *
   * @param purpose the metric, for the message
   * @throws RdmException naming the set that lacks moments, or both if they do not match
   */
  public static void requireMoments(
      ActivationSet samples, ActivationSet reference, Feature feature, String purpose) {
    long own = samples.dimensions(feature, purpose);
    long others = reference.dimensions(feature, purpose);
    if (own != others) {
      throw new RdmException(
          "%s has features of %s dimensions, but %s of %s: cannot compute %s"
              .formatted(samples.name(), own, reference.name(), others, purpose));
    }
  }

  /**
   * Rejects sets that {@link #precisionRecall} cannot compare, without reading rows.
   *
   * @throws RdmException naming the set that has no activations, or too few for k
   */
  public static void requireManifolds(ActivationSet samples, ActivationSet reference, int k) {
    PrecisionRecall.check(
        samples.activations(Feature.POOL, MANIFOLDS),
        reference.activations(Feature.POOL, MANIFOLDS),
        k);
  }

  private static FrechetDistance frechet(
      ActivationSet samples,
      ActivationSet reference,
      Feature feature,
      String purpose,
      WorkOptions work) {
    requireMoments(samples, reference, feature, purpose);
    if (samples.hasActivations(feature) && reference.hasActivations(feature)) {
      return FrechetDistance.between(
          samples.activations(feature, purpose), reference.activations(feature, purpose), work);
    }
    try (Moments known = reference.moments(feature, purpose, work)) {
      if (samples.hasActivations(feature)) {
        return FrechetDistance.between(samples.activations(feature, purpose), known, work);
      }
      try (Moments moments = samples.moments(feature, purpose, work)) {
        return FrechetDistance.between(moments, known, work);
      }
    }
  }
}
