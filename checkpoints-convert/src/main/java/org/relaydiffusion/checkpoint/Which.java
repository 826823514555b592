package org.relaydiffusion.checkpoint;

/** Which of a training run's two networks. */
public enum Which {
  /** The moving average of the weights: what sampling uses. */
  EMA("ema"),
  /** The weights that training goes on from. */
  NET("net");

  private final String key;

  Which(String key) {
    this.key = key;
  }

  /** Its key in a checkpoint, e.g. {@code ema}. */
  public String key() {
    return key;
  }
}
