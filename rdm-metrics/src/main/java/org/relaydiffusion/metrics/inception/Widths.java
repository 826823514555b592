package org.relaydiffusion.metrics.inception;

/**
 * The numbers of channels.
 *
 * @param divisor what the published ones are divided by: 1, or for a small network of the same
 *     build 2, 4, 8 or 16
 */
record Widths(int divisor) {
  /** The network as published. */
  static final Widths PUBLISHED = new Widths(1);

  private static final int NARROWEST = 32;

  /** The channels where the published network has {@code published}; an image keeps its 3. */
  int of(int published) {
    return published < NARROWEST ? published : published / divisor;
  }
}
