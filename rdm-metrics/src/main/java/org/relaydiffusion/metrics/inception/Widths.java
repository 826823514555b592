// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

/**
 * The numbers of channels.
 *
 * @param divisor of the published numbers: 1, or 2, 4, 8 or 16 for a small network with the same
 *     structure
 */
record Widths(int divisor) {
  /** The published network. */
  static final Widths PUBLISHED = new Widths(1);

  private static final int NARROWEST = 32;

  /**
   * Returns the number of channels for {@code published} channels of the published network; images
   * keep their 3.
   */
  int of(int published) {
    return published < NARROWEST ? published : published / divisor;
  }
}
