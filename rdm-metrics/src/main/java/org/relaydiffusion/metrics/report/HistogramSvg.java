// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.report;

import java.util.Arrays;
import java.util.Locale;

/** Draws a {@link NormHistogram}: two outlines over one axis. */
final class HistogramSvg {
  private static final int WIDTH = 720;
  private static final int HEIGHT = 260;
  private static final int LEFT = 48;
  private static final int BOTTOM = 40;
  private static final int TOP = 12;
  private static final int TICKS = 6;

  private final NormHistogram histogram;
  private final double highest;

  HistogramSvg(NormHistogram histogram) {
    this.histogram = histogram;
    this.highest =
        Math.max(
            Arrays.stream(histogram.sample()).max().orElseThrow(),
            Arrays.stream(histogram.reference()).max().orElseThrow());
  }

  /**
   * Returns the drawing, which uses the classes {@code sample} and {@code reference} of the page
   * for its colours.
   */
  String svg() {
    StringBuilder svg = new StringBuilder();
    svg.append(
        """
        <svg viewBox="0 0 %s %s" role="img" aria-label="Histogram of feature norms">
        """
            .formatted(WIDTH, HEIGHT));
    axis(svg);
    svg.append(outline("reference", histogram.reference()));
    svg.append(outline("sample", histogram.sample()));
    return svg.append("</svg>\n").toString();
  }

  private String outline(String kind, double[] parts) {
    StringBuilder path = new StringBuilder(String.format(Locale.ROOT, "M%.1f %.1f", x(0), y(0)));
    for (int i = 0; i < parts.length; i++) {
      path.append(
          String.format(
              Locale.ROOT, " L%.1f %.1f L%.1f %.1f", x(i), y(parts[i]), x(i + 1), y(parts[i])));
    }
    path.append(String.format(Locale.ROOT, " L%.1f %.1f Z", x(parts.length), y(0)));
    return "<path class=\"%s\" d=\"%s\"/>%n".formatted(kind, path);
  }

  private void axis(StringBuilder svg) {
    svg.append(line(LEFT, y(0), WIDTH, y(0)));
    for (int i = 0; i <= TICKS; i++) {
      double value = histogram.low() + (histogram.high() - histogram.low()) * i / TICKS;
      double at = LEFT + (double) (WIDTH - LEFT) * i / TICKS;
      String anchor = i == TICKS ? "end" : i == 0 ? "start" : "middle";
      svg.append(text(at, HEIGHT - BOTTOM + 18, anchor, String.format(Locale.ROOT, "%.4g", value)));
    }
    svg.append(text(LEFT + (WIDTH - LEFT) / 2.0, HEIGHT - 4, "middle", "norm of the features"));
    svg.append(
        text(LEFT - 6, TOP + 8, "end", String.format(Locale.ROOT, "%.1f %%", 100 * highest)));
    svg.append(text(LEFT - 6, y(0), "end", "0"));
  }

  private double x(int bin) {
    return LEFT + (double) (WIDTH - LEFT) * bin / histogram.sample().length;
  }

  private double y(double part) {
    return HEIGHT - BOTTOM - part / highest * (HEIGHT - BOTTOM - TOP);
  }

  private static String line(double x1, double y1, double x2, double y2) {
    return String.format(
        Locale.ROOT, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>%n", x1, y1, x2, y2);
  }

  private static String text(double x, double y, String anchor, String content) {
    return String.format(
        Locale.ROOT,
        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n",
        x,
        y,
        anchor,
        content);
  }
}
