package org.relaydiffusion.diffusion.image.webp;

/**
 * How much the edges of a macroblock are filtered (RFC 6386, section 15).
 *
 * @param limit of the differences across an inner edge, in half values; 0 for no filter
 * @param interior of the differences beside an edge
 * @param variance above which an edge belongs to the picture and is hardly filtered
 */
record FilterStrength(int limit, int interior, int variance) {
  private static final int MOST = 63;

  /** Of a level, which is brought into its range, and the frame's sharpness. */
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
