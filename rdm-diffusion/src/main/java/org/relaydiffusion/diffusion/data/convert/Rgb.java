package org.relaydiffusion.diffusion.data.convert;

/** A colour, each part in [0, 1]. */
record Rgb(double red, double green, double blue) {
  /**
   * The colour of a hue.
   *
   * @param hue in turns, any number: 0 red, 1/3 green, 2/3 blue
   * @param saturation 0 grey to 1
   * @param value the largest part
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

  /** This colour where {@code share} is 0, {@code other} where it is 1. */
  Rgb mix(Rgb other, double share) {
    return new Rgb(
        red + (other.red - red) * share,
        green + (other.green - green) * share,
        blue + (other.blue - blue) * share);
  }
}
