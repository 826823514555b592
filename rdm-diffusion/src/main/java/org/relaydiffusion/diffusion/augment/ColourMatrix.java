package org.relaydiffusion.diffusion.augment;

/**
 * An affine map of colours, 3 x 4: the columns are red, green, blue and one.
 *
 * @param rows 12 numbers, row by row
 */
record ColourMatrix(double[] rows) {
  static final ColourMatrix IDENTITY = scale(1);

  /** All three by a factor. */
  static ColourMatrix scale(double factor) {
    return linear((row, column) -> row == column ? factor : 0);
  }

  /** The same added to all three. */
  static ColourMatrix brighten(double by) {
    double[] rows = IDENTITY.rows.clone();
    rows[3] = rows[7] = rows[11] = by;
    return new ColourMatrix(rows);
  }

  /**
   * The grey part of a colour (its projection on the grey axis) by one factor, the rest by another.
   */
  static ColourMatrix stretch(double grey, double rest) {
    return linear((row, column) -> (row == column ? rest : 0) + (grey - rest) / 3);
  }

  /** A turn around the grey axis (Rodrigues' formula). */
  static ColourMatrix turn(double radians) {
    double cosine = Math.cos(radians);
    double sine = Math.sin(radians) / Math.sqrt(3);
    return linear((row, column) -> {
      double grey = (1 - cosine) / 3;
      if (row == column) {
        return grey + cosine;
      }
      return column == (row + 1) % 3 ? grey - sine : grey + sine;
    });
  }

  private interface Entry {
    double at(int row, int column);
  }

  private static ColourMatrix linear(Entry entry) {
    double[] rows = new double[12];
    for (int r = 0; r < 3; r++) {
      for (int c = 0; c < 3; c++) {
        rows[4 * r + c] = entry.at(r, c);
      }
    }
    return new ColourMatrix(rows);
  }

  /** This map, then {@code next}. */
  ColourMatrix then(ColourMatrix next) {
    double[] product = new double[12];
    for (int r = 0; r < 3; r++) {
      for (int c = 0; c < 4; c++) {
        double sum = c == 3 ? next.rows[4 * r + 3] : 0;
        for (int k = 0; k < 3; k++) {
          sum += next.rows[4 * r + k] * rows[4 * k + c];
        }
        product[4 * r + c] = sum;
      }
    }
    return new ColourMatrix(product);
  }

  double at(int row, int column) {
    return rows[4 * row + column];
  }
}
