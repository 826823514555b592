// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * Rows in float64 and in their float32 view. Any thread may read them.
 *
 * @param first the index of the first row in its source
 * @param rows float64, concatenated
 * @param rounded float32 [n, D] from a {@link Float32View}; owned by this object
 * @param norms their squared norms [n]
 */
record RowBlock(long first, double[] rows, Tensor rounded, double[] norms)
    implements AutoCloseable {
  static RowBlock of(PlainRows rows, Float32View view) {
    float[] rounded = new float[rows.values().length];
    double[] norms = new double[rows.count()];
    view.round(rows.values(), rounded, norms);
    Tensor tensor = Torch.tensor(rounded, rows.count(), rows.dimensions()).release();
    return new RowBlock(rows.first(), rows.values(), tensor, norms);
  }

  int count() {
    return norms.length;
  }

  /** Returns the length of a row. */
  int dimensions() {
    return rows.length / norms.length;
  }

  /**
   * Returns the squared distance of row {@code mine} from a row of another block, in float64.
   *
   * @param scratch as long as a row; overwritten
   */
  double squaredDistance(int mine, RowBlock other, int theirs, double[] scratch) {
    int dimensions = scratch.length;
    return DistanceBounds.squaredDistance(
        rows, mine * dimensions, other.rows, theirs * dimensions, scratch);
  }

  @Override
  public void close() {
    rounded.close();
  }
}
