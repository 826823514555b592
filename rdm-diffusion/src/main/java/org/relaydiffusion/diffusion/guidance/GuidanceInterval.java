// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.guidance;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;

/**
 * The noise levels at which guidance is active: {@code (low, high]}. At other levels its scale is 1
 * and its additional network call is not made (Kynkaanniemi et al., arXiv 2404.07724).
 *
 * @param low the level above which it is active, at least 0
 * @param high the highest level at which it is active, above {@code low}; may be infinite
 */
public record GuidanceInterval(double low, double high) {
  /** All noise levels. */
  public static final GuidanceInterval ALL = new GuidanceInterval(0, Double.POSITIVE_INFINITY);

  /**
   * Checks the bounds.
   *
   * @throws OptionException if they are not in ascending order
   */
  public GuidanceInterval {
    if (!(low >= 0) || Double.isInfinite(low)) {
      throw new OptionException(
          "guidance_interval must begin at a finite number of at least 0, but begins at " + low);
    }
    if (!(high > low)) {
      throw new OptionException(
          "guidance_interval must end above its begin of %s, but ends at %s".formatted(low, high));
    }
  }

  /** Returns whether guidance is active at noise level {@code sigma}. */
  public boolean contains(double sigma) {
    return sigma > low && sigma <= high;
  }

  /**
   * Parses {@code LO,HI}, where HI may be {@code inf}.
   *
   * @throws OptionException for anything else
   */
  public static GuidanceInterval parse(String text) {
    String[] bounds = text.split(",", -1);
    if (bounds.length != 2) {
      throw new OptionException(
          "guidance_interval must be two noise levels LO,HI, but is '%s'"
              .formatted(Printable.of(text)));
    }
    return new GuidanceInterval(number(bounds[0].strip(), text), number(bounds[1].strip(), text));
  }

  private static double number(String bound, String text) {
    if (bound.equalsIgnoreCase("inf")) {
      return Double.POSITIVE_INFINITY;
    }
    if (!bound.matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?")) {
      throw new OptionException(
          "guidance_interval must be two noise levels LO,HI, but is '%s'"
              .formatted(Printable.of(text)));
    }
    return Double.parseDouble(bound);
  }

  /** Returns the interval as {@link #parse} reads it. */
  @Override
  public String toString() {
    return "%s,%s".formatted(text(low), text(high));
  }

  private static String text(double bound) {
    return Double.isInfinite(bound)
        ? "inf"
        : bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
  }
}
