// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

/** A colour with components in [0, 1]. */
record Rgb(double red, double green, double blue) {
  /**
   * Returns the colour of a hue.
   *
   * @param hue in turns, any number: 0 red, 1/3 green, 2/3 blue
   * @param saturation 0 (grey) to 1
   * @param value the largest component
   */
  static Rgb ofHue(double hue, double saturation, double value) {
    return new Rgb(
        part(hue, 5, saturation, value),
        part(hue, 3, saturation, value),
        part(hue, 1, saturation, value));
  }

  private static double part(double hue, int shift, double saturation, double value) {
    double k = shift + (hue - Math.floor(hue)) * 6;
    k -= k >= 6 ? 6 : 0;
    return value * (1 - saturation * Math.clamp(Math.min(k, 4 - k), 0.0, 1.0));
  }

  /** Interpolates linearly: this colour for {@code share} 0, {@code other} for 1. */
  Rgb mix(Rgb other, double share) {
    return new Rgb(
        red + (other.red - red) * share,
        green + (other.green - green) * share,
        blue + (other.blue - blue) * share);
  }
}
