package org.relaydiffusion.metrics;

/** The two kinds of activations that metrics compare, and what files call them. */
public enum Feature {
  /** Pool features: FID, IS, precision and recall. */
  POOL("feat", "mu", "sigma", "mu", "sigma"),
  /** Spatial features: sFID. */
  SPATIAL("s_feat", "s_mu", "s_sigma", "mu_s", "sigma_s");

  private final String array;
  private final String mean;
  private final String covariance;
  private final String admMean;
  private final String admCovariance;

  Feature(String array, String mean, String covariance, String admMean, String admCovariance) {
    this.array = array;
    this.mean = mean;
    this.covariance = covariance;
    this.admMean = admMean;
    this.admCovariance = admCovariance;
  }

  /** The array of the activations themselves, [N, D]. */
  public String array() {
    return array;
  }

  /** The array of their mean, [D]. */
  public String mean() {
    return mean;
  }

  /** The array of their unbiased covariance, [D, D]. */
  public String covariance() {
    return covariance;
  }

  /** The array of their mean in ADM's reference batches, [D]. */
  public String admMean() {
    return admMean;
  }

  /** The array of their covariance in ADM's reference batches, [D, D]. */
  public String admCovariance() {
    return admCovariance;
  }
}
