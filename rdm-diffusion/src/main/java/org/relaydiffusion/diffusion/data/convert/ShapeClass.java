package org.relaydiffusion.diffusion.data.convert;

/**
 * The eight classes of {@code synthetic:shapes}; the order of the constants is that of the labels.
 * A shape lies around the origin, inside the circle of radius 1.
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
  /** A filled triangle of equal sides. */
  TRIANGLE {
    @SuppressWarnings("ImmutableEnumChecker") // Its arrays are written by its maker alone.
    private final Polygon outline = Polygon.around(3, 1, 1);

    @Override
    double distance(double x, double y) {
      return outline.distance(x, y);
    }
  },
  /** A circle with a hole. */
  RING {
    @Override
    double distance(double x, double y) {
      return Math.abs(Math.sqrt(x * x + y * y) - 0.7) - 0.23;
    }
  },
  /** Two bars across each other. */
  CROSS {
    @Override
    double distance(double x, double y) {
      return Math.min(box(x, y, 0.25, 0.94), box(x, y, 0.94, 0.25));
    }
  },
  /** A star of five points. */
  STAR {
    @SuppressWarnings("ImmutableEnumChecker") // Its arrays are written by its maker alone.
    private final Polygon outline = Polygon.around(10, 1, 0.42);

    @Override
    double distance(double x, double y) {
      return outline.distance(x, y);
    }
  },
  /** Three bars side by side, the background between them. */
  STRIPES {
    @Override
    double distance(double x, double y) {
      return box(x, Math.min(Math.abs(y), Math.abs(Math.abs(y) - 0.62)), 0.78, 0.18);
    }
  },
  /** A square of three by three cells, every other one in a second colour. */
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

  /** The distance from the outline, negative inside. */
  abstract double distance(double x, double y);

  /**
   * How much of the shape's first colour there is at a place: 1 all, 0 only the second one.
   *
   * @param blur width of the seam between the two
   */
  double firstColour(double x, double y, double blur) {
    return 1;
  }

  /** The class of a label. */
  static ShapeClass of(int label) {
    return values()[label];
  }

  /** The distance from a box of the given half sides. */
  private static double box(double x, double y, double halfWidth, double halfHeight) {
    double dx = Math.abs(x) - halfWidth;
    double dy = Math.abs(y) - halfHeight;
    double outsideX = Math.max(dx, 0);
    double outsideY = Math.max(dy, 0);
    return Math.sqrt(outsideX * outsideX + outsideY * outsideY) + Math.min(Math.max(dx, dy), 0);
  }
}
