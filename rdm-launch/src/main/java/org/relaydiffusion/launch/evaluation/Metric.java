package org.relaydiffusion.launch.evaluation;

/** What can be computed of a set of samples. */
public enum Metric {
  /** Frechet distance between pool features. */
  FID("FID"),
  /** Frechet distance between spatial features. */
  SFID("sFID"),
  /** Inception score, of the samples alone. */
  IS("IS"),
  /** Precision and recall, between pool features. */
  PR("precision and recall");

  private final String title;

  Metric(String title) {
    this.title = title;
  }

  /** Its usual name, such as {@code sFID}. */
  public String title() {
    return title;
  }

  /** Whether the samples are compared with a reference set. */
  public boolean needsReference() {
    return this != IS;
  }
}
