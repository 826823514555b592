package org.relaydiffusion.metrics;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.Tensor;

/**
 * What one pass over activations finds: that every element is finite, how large they are and about
 * where their middle is.
 *
 * @param count the number of rows
 * @param largest the largest absolute value
 * @param halfMean half the mean [D], roughly; half, so that no sum overflows
 */
record Survey(long count, double largest, double[] halfMean) {
  private static final long BLOCK_ROWS = 512;

  /**
   * Surveys activations.
   *
   * @throws RdmException naming the source and the row of an element that is not finite
   */
  static Survey of(Activations activations, WorkOptions work) {
    int dimensions = dimensions(activations);
    double[] halfMean = new double[dimensions];
    double weight = 0.5 / Math.max(1, activations.count());
    double largest = 0;
    long first = 0;
    try (Activations.Reader reader = activations.open()) {
      while (reader.remainingRows() > 0) {
        work.cancellation().check();
        double[] rows;
        try (Tensor block = reader.read(BLOCK_ROWS)) {
          rows = block.toDoubles();
        }
        requireFinite(activations.name(), first, rows, dimensions);
        for (int at = 0; at < rows.length; at += dimensions) {
          for (int d = 0; d < dimensions; d++) {
            largest = Math.max(largest, Math.abs(rows[at + d]));
            halfMean[d] += rows[at + d] * weight;
          }
        }
        first += rows.length / dimensions;
      }
    }
    return new Survey(first, largest, halfMean);
  }

  /**
   * Refuses rows with an element that is infinite or NaN.
   *
   * @param first the number of the first row in its source
   * @param rows one after another
   */
  static void requireFinite(String source, long first, double[] rows, int dimensions) {
    // 0 times a finite number is 0, and times any other it is NaN.
    double zero = 0;
    for (double x : rows) {
      zero += x * 0;
    }
    if (zero == 0) {
      return;
    }
    for (int i = 0; i < rows.length; i++) {
      if (!Double.isFinite(rows[i])) {
        throw new RdmException(
            "%s: row %d holds %s, but activations must be finite"
                .formatted(source, first + i / dimensions, rows[i]));
      }
    }
  }

  /** Refuses two sets whose rows have different lengths. */
  static void requireSameDimensions(Activations a, Activations b) {
    if (a.dimensions() != b.dimensions()) {
      throw new RdmException(
          "%s has %d dimensions and %s %d: they cannot be compared"
              .formatted(a.name(), a.dimensions(), b.name(), b.dimensions()));
    }
  }

  /** The length of a row, where it is one that can be worked with. */
  static int dimensions(Activations activations) {
    long dimensions = activations.dimensions();
    if (dimensions > Screen.MOST_DIMENSIONS) {
      throw new RdmException(
          "%s: rows have %d elements, where %d are the most"
              .formatted(activations.name(), dimensions, Screen.MOST_DIMENSIONS));
    }
    return (int) dimensions;
  }
}
