// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

/**
 * The eight classes of {@code synthetic:shapes}, in the order of their labels. A shape is centred
 * at the origin, inside the circle of radius 1.
 */
public enum ShapeClass {
  /** A filled circle. */
  DISC {
    @Override
    double distance(double x, double y) {
      return Math.sqrt(x * x + y * y) - 0.88;
    }
  },
  /** A filled square. */
  SQUARE {
    @Override
    double distance(double x, double y) {
      return box(x, y, 0.76, 0.76);
    }
  },
  /** A filled equilateral triangle. */
  TRIANGLE {
    @SuppressWarnings("ImmutableEnumChecker") // Its arrays are written by its maker alone.
    private final Polygon outline = Polygon.around(3, 1, 1);

    @Override
    double distance(double x, double y) {
      return outline.distance(x, y);
    }
  },
  /** A ring. */
  RING {
    @Override
    double distance(double x, double y) {
      return Math.abs(Math.sqrt(x * x + y * y) - 0.7) - 0.23;
    }
  },
  /** A cross of two bars. */
  CROSS {
    @Override
    double distance(double x, double y) {
      return Math.min(box(x, y, 0.25, 0.94), box(x, y, 0.94, 0.25));
    }
  },
  /** A five-pointed star. */
  STAR {
    @SuppressWarnings("ImmutableEnumChecker") // Its arrays are written by its maker alone.
    private final Polygon outline = Polygon.around(10, 1, 0.42);

    @Override
    double distance(double x, double y) {
      return outline.distance(x, y);
    }
  },
  /** Three parallel bars on the background. */
  STRIPES {
    @Override
    double distance(double x, double y) {
      return box(x, Math.min(Math.abs(y), Math.abs(Math.abs(y) - 0.62)), 0.78, 0.18);
    }
  },
  /** A square of three by three cells, alternating between two colours. */
  CHECKER {
    @Override
    double distance(double x, double y) {
      return box(x, y, CHECKER_SIDE, CHECKER_SIDE);
    }

    @Override
    double firstColour(double x, double y, double blur) {
      double cell = 2 * CHECKER_SIDE / 3;
      double fromMiddle = Math.min(Math.abs(x) - cell / 2, CHECKER_SIDE - Math.abs(x));
      double fromCentre = Math.min(Math.abs(y) - cell / 2, CHECKER_SIDE - Math.abs(y));
      double sideways = Math.clamp(0.5 + fromMiddle / blur, 0.0, 1.0);
      double upDown = Math.clamp(0.5 + fromCentre / blur, 0.0, 1.0);
      return sideways * upDown + (1 - sideways) * (1 - upDown);
    }
  };

  private static final double CHECKER_SIDE = 0.8;

  /** Returns the signed distance from the outline, negative inside. */
  abstract double distance(double x, double y);

  /**
   * Returns the fraction of the shape's first colour at a position: 1 for the first colour only, 0
   * for the second.
   *
   * @param blur width of the transition between the two
   */
  double firstColour(double x, double y, double blur) {
    return 1;
  }

  /** Returns the class of a label. */
  static ShapeClass of(int label) {
    return values()[label];
  }

  /** Returns the signed distance from a box with the given half sides. */
  private static double box(double x, double y, double halfWidth, double halfHeight) {
    double dx = Math.abs(x) - halfWidth;
    double dy = Math.abs(y) - halfHeight;
    double outsideX = Math.max(dx, 0);
    double outsideY = Math.max(dy, 0);
    return Math.sqrt(outsideX * outsideX + outsideY * outsideY) + Math.min(Math.max(dx, dy), 0);
  }
}
