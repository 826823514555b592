// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

/** What a convolution does to the image's size besides convolving. */
public enum Resample {
  /** Nothing. */
  NONE,
  /** Doubles width and height. */
  UP,
  /** Halves width and height. */
  DOWN
}
