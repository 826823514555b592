package org.relaydiffusion.metrics;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.inception.OutputLayer;

/**
 * The metrics of the paper's tables, computed from what is known of two sets of images: an {@link
 * ActivationsFile}, an {@link ActivationCollector} that images are handed to, or arrays ({@link
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
 */
public final class Metrics {
  private static final String MANIFOLDS = "precision and recall";

  private Metrics() {}

  /**
   * FID (Heusel et al., 2017, arXiv 1706.08500): the Frechet distance between pool features; 0 for
   * equal sets.
   *
   * @throws RdmException naming the set that lacks what is needed, or is not finite
   */
  public static FrechetDistance fid(
      ActivationSet samples, ActivationSet reference, WorkOptions work) {
    return frechet(samples, reference, Feature.POOL, "FID", work);
  }

  /**
   * sFID (Nash et al., 2021, arXiv 2103.03841): the same between spatial features.
   *
   * @throws RdmException naming the set that lacks what is needed, or is not finite
   */
  public static FrechetDistance sfid(
      ActivationSet samples, ActivationSet reference, WorkOptions work) {
    return frechet(samples, reference, Feature.SPATIAL, "sFID", work);
  }

  /**
   * The inception score (Salimans et al., 2016, arXiv 1606.03498) of the samples alone.
   *
   * @param output the network's last layer, such as {@code Inception.output()}
   * @throws RdmException when the samples have no activations, or they are not finite
   */
  public static InceptionScore inceptionScore(
      ActivationSet samples, OutputLayer output, InceptionScore.Options options, WorkOptions work) {
    return InceptionScore.of(
        samples.activations(Feature.POOL, "the inception score"), output, options, work);
  }

  /**
   * Precision and recall (Kynkaanniemi et al., 2019, arXiv 1904.06991) between pool features.
   *
   * @param k which neighbour a ball of the manifold reaches to, 1 or more
   * @throws RdmException naming the set that has no activations, too few, or one not finite
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
   * Refuses what cannot be compared by {@link #fid} or {@link #sfid}, without reading a row.
   *
   * @param purpose the metric, for the message
   * @throws RdmException naming the set that lacks moments, or both where they do not fit
   */
  public static void requireMoments(
      ActivationSet samples, ActivationSet reference, Feature feature, String purpose) {
    long own = samples.dimensions(feature, purpose);
    long others = reference.dimensions(feature, purpose);
    if (own != others) {
      throw new RdmException(
          "%s has features of %s dimensions and %s of %s: no %s of them"
              .formatted(samples.name(), own, reference.name(), others, purpose));
    }
  }

  /**
   * Refuses what {@link #precisionRecall} cannot compare, without reading a row.
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
