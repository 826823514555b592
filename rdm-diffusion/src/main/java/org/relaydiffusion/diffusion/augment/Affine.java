// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

/**
 * The map (x, y) to (xx x + xy y + x0, yx x + yy y + y0) of a plane whose y axis points down.
 *
 * @param xx x of x
 * @param xy x of y
 * @param x0 x of the origin
 * @param yx y of x
 * @param yy y of y
 * @param y0 y of the origin
 */
record Affine(double xx, double xy, double x0, double yx, double yy, double y0) {
  static final Affine IDENTITY = new Affine(1, 0, 0, 0, 1, 0);

  static Affine scale(double x, double y) {
    return new Affine(x, 0, 0, 0, y, 0);
  }

  static Affine translate(double x, double y) {
    return new Affine(1, 0, x, 0, 1, y);
  }

  /** Returns a rotation from the x axis towards the y axis. */
  static Affine rotate(double radians) {
    double c = Math.cos(radians);
    double s = Math.sin(radians);
    return new Affine(c, -s, 0, s, c, 0);
  }

  double x(double x, double y) {
    return xx * x + xy * y + x0;
  }

  double y(double x, double y) {
    return yx * x + yy * y + y0;
  }

  /** Returns the composition of this map followed by {@code next}. */
  Affine then(Affine next) {
    return new Affine(
        next.xx * xx + next.xy * yx,
        next.xx * xy + next.xy * yy,
        next.x(x0, y0),
        next.yx * xx + next.yy * yx,
        next.yx * xy + next.yy * yy,
        next.y(x0, y0));
  }

  boolean isIdentity() {
    // Not equals(), which distinguishes 0 and -0.
    return xx == 1 && xy == 0 && x0 == 0 && yx == 0 && yy == 1 && y0 == 0;
  }
}
