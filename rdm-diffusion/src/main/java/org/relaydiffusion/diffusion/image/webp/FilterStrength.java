// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

/**
 * The strength of the loop filter for a macroblock (RFC 6386, section 15).
 *
 * @param limit of the differences across an inner edge, in half values; 0 for no filter
 * @param interior limit of the differences beside an edge
 * @param variance above which an edge is considered part of the image and is hardly filtered
 */
record FilterStrength(int limit, int interior, int variance) {
  private static final int MOST = 63;

  /**
   * Computes the strength for a level, which is clipped to its range, and the frame's sharpness.
   */
  static FilterStrength of(int unbounded, int sharpness) {
    int level = Math.clamp(unbounded, 0, MOST);
    if (level == 0) {
      return new FilterStrength(0, 0, 0);
    }
    int interior = level;
    if (sharpness > 0) {
      interior = Math.min(interior >> (sharpness > 4 ? 2 : 1), 9 - sharpness);
    }
    interior = Math.max(interior, 1);
    int variance = level >= 40 ? 2 : level >= 15 ? 1 : 0;
    return new FilterStrength(2 * level + interior, interior, variance);
  }
}
