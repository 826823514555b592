// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

/** The two kinds of activations that metrics compare, and the names of their arrays in files. */
public enum Feature {
  /** Pool features, for FID, IS, precision and recall. */
  POOL("feat", "mu", "sigma", "mu", "sigma"),
  /** Spatial features, for sFID. */
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

  /** Returns the name of the array of activations, [N, D]. */
  public String array() {
    return array;
  }

  /** Returns the name of the array with their mean, [D]. */
  public String mean() {
    return mean;
  }

  /** Returns the name of the array with their unbiased covariance, [D, D]. */
  public String covariance() {
    return covariance;
  }

  /** Returns the name of the array with their mean in ADM's reference batches, [D]. */
  public String admMean() {
    return admMean;
  }

  /** Returns the name of the array with their covariance in ADM's reference batches, [D, D]. */
  public String admCovariance() {
    return admCovariance;
  }
}
