// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

/**
 * A simple polygon around the origin.
 *
 * @param x the coordinates of the corners, in order
 * @param y the other coordinates
 */
record Polygon(double[] x, double[] y) {
  /**
   * Returns a polygon whose corners alternate between two circles, beginning at the top (y points
   * downwards).
   *
   * @param corners number of corners on both circles together
   * @param even radius of the first, third, ... corner
   * @param odd radius of the others
   */
  static Polygon around(int corners, double even, double odd) {
    double[] x = new double[corners];
    double[] y = new double[corners];
    for (int i = 0; i < corners; i++) {
      double angle = 2 * StrictMath.PI * i / corners;
      double radius = i % 2 == 0 ? even : odd;
      x[i] = radius * StrictMath.sin(angle);
      y[i] = -radius * StrictMath.cos(angle);
    }
    return new Polygon(x, y);
  }

  /** Returns the signed distance from the outline, negative inside. */
  double distance(double px, double py) {
    double least = Double.MAX_VALUE;
    boolean inside = false;
    int j = x.length - 1;
    for (int i = 0; i < x.length; j = i++) {
      double ex = x[j] - x[i];
      double ey = y[j] - y[i];
      double wx = px - x[i];
      double wy = py - y[i];
      double along = Math.clamp((wx * ex + wy * ey) / (ex * ex + ey * ey), 0.0, 1.0);
      double dx = wx - ex * along;
      double dy = wy - ey * along;
      least = Math.min(least, dx * dx + dy * dy);
      boolean crosses = (y[i] > py) != (y[j] > py);
      if (crosses && px < x[i] + ex * (py - y[i]) / ey) {
        inside = !inside;
      }
    }
    return inside ? -Math.sqrt(least) : Math.sqrt(least);
  }
}
