package org.relaydiffusion.metrics;

import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * Some rows, as they are and as float32 sees them. Any thread may read them.
 *
 * @param first the number of the first row in its source
 * @param rows float64, one after another
 * @param rounded float32 [n, D] from a {@link Viewpoint}; owned
 * @param norms their squared norms [n]
 */
record RowBlock(long first, double[] rows, Tensor rounded, double[] norms)
    implements AutoCloseable {
  static RowBlock of(long first, double[] rows, Viewpoint view) {
    int dimensions = view.scaledCentre().length;
    int count = rows.length / dimensions;
    float[] rounded = new float[rows.length];
    double[] norms = new double[count];
    view.round(rows, rounded, norms);
    Tensor tensor = Torch.tensor(rounded, count, dimensions).release();
    return new RowBlock(first, rows, tensor, norms);
  }

  int count() {
    return norms.length;
  }

  /** Row {@code mine}'s squared distance from a row of another block, in float64. */
  double squaredDistance(int mine, RowBlock other, int theirs) {
    int dimensions = rows.length / norms.length;
    return Screen.squaredDistance(
        rows, mine * dimensions, other.rows, theirs * dimensions, dimensions);
  }

  @Override
  public void close() {
    rounded.close();
  }
}
