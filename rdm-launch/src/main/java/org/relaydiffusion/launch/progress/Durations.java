// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.progress;

import java.util.Locale;

/** Formats times and rates for display. */
public final class Durations {
  private Durations() {}

  /**
   * Formats seconds as {@code 4.2s}, {@code 38s}, {@code 1m38s}, {@code 2h05m} or {@code 3d04h}.
   */
  public static String text(double seconds) {
    if (seconds < 9.95) {
      return String.format(Locale.ROOT, "%.1fs", Math.max(0, seconds));
    }
    long whole = Math.round(seconds);
    if (whole < 60) {
      return whole + "s";
    }
    if (whole < 3600) {
      return String.format(Locale.ROOT, "%dm%02ds", whole / 60, whole % 60);
    }
    long minutes = whole / 60;
    return minutes < 24 * 60
        ? String.format(Locale.ROOT, "%dh%02dm", minutes / 60, minutes % 60)
        : String.format(Locale.ROOT, "%dd%02dh", minutes / (24 * 60), minutes / 60 % 24);
  }

  /** Formats a rate with three significant digits: {@code 12.3}, {@code 0.0456}, {@code 789}. */
  public static String rate(double perSecond) {
    if (perSecond >= 100) {
      return String.format(Locale.ROOT, "%.0f", perSecond);
    }
    int digits = perSecond >= 10 ? 1 : perSecond >= 1 ? 2 : perSecond >= 0.1 ? 3 : 4;
    return String.format(Locale.ROOT, "%." + digits + "f", perSecond);
  }
}
