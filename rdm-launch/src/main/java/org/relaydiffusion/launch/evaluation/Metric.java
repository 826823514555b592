// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

/** A metric of a set of samples. */
public enum Metric {
  /** Frechet distance between pool features. */
  FID("FID"),
  /** Frechet distance between spatial features. */
  SFID("sFID"),
  /** Inception Score, of the samples alone. */
  IS("IS"),
  /** Precision and recall, between pool features. */
  PR("precision and recall");

  private final String title;

  Metric(String title) {
    this.title = title;
  }

  /** Returns the usual name, such as {@code sFID}. */
  public String title() {
    return title;
  }

  /** Returns whether the metric compares the samples with a reference set. */
  public boolean needsReference() {
    return this != IS;
  }
}
