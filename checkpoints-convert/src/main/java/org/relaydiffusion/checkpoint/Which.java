// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

/** One of the two networks of a training run. */
public enum Which {
  /** The EMA of the weights, used for sampling. */
  EMA("ema"),
  /** The weights being trained. */
  NET("net");

  private final String key;

  Which(String key) {
    this.key = key;
  }

  /** Returns the key in a checkpoint, such as {@code ema}. */
  public String key() {
    return key;
  }
}
