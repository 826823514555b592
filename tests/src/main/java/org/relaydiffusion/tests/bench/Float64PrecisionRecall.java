// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.Arrays;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;

/** Precision and recall from complete matrices of float64 distances, in blocks of rows. */
final class Float64PrecisionRecall {
  private static final int ROWS = 256;

  private final int threads;

  private Float64PrecisionRecall(int threads) {
    this.threads = threads;
  }

  /** Processes the squared distances [rows, columns] of some rows from all columns. */
  @FunctionalInterface
  private interface Visitor {
    void visit(int firstRow, int columns, double[] squared);
  }

  /** Precision and recall. */
  static double[] of(Tensor samples, Tensor references, int k, int threads) {
    Float64PrecisionRecall all = new Float64PrecisionRecall(threads);
    float[] radii = all.radii(samples, k);
    float[] referenceRadii = all.radii(references, k);
    boolean[] precise = new boolean[radii.length];
    boolean[] recalled = new boolean[referenceRadii.length];
    all.visit(
        samples,
        references,
        (first, columns, squared) -> {
          for (int at = 0; at < squared.length; at++) {
            int row = first + at / columns;
            int column = at % columns;
            if (squared[at] <= referenceRadii[column]) {
              precise[row] = true;
            }
            if (squared[at] <= radii[row]) {
              recalled[column] = true;
            }
          }
        });
    return new double[] {part(precise), part(recalled)};
  }

  private float[] radii(Tensor rows, int k) {
    float[] radii = new float[(int) rows.size(0)];
    visit(
        rows,
        rows,
        (first, columns, squared) -> {
          double[] nearest = new double[k + 1];
          for (int row = 0; row < squared.length / columns; row++) {
            Arrays.fill(nearest, Double.POSITIVE_INFINITY);
            for (int at = row * columns; at < (row + 1) * columns; at++) {
              if (squared[at] < nearest[k]) {
                nearest[k] = squared[at];
                Arrays.sort(nearest);
              }
            }
            radii[first + row] = (float) nearest[k];
          }
        });
    return radii;
  }

  private void visit(Tensor a, Tensor b, Visitor visitor) {
    int count = (int) a.size(0);
    int columns = (int) b.size(0);
    try (Tensor left = Shapes.copy(a).release();
        Tensor right = Shapes.transpose(b, 0, 1).release()) {
      double[] normsA = norms(a);
      double[] normsB = norms(b);
      Threads.run(
          threads,
          (count + ROWS - 1) / ROWS,
          block -> {
            int first = block * ROWS;
            Tensor rows = Shapes.narrow(left, 0, first, Math.min(ROWS, count - first));
            double[] squared = LinearAlgebra.matmul(rows, right).toDoubles();
            for (int at = 0; at < squared.length; at++) {
              double norms = normsA[first + at / columns] + normsB[at % columns];
              squared[at] = Math.max(0, norms - 2 * squared[at]);
            }
            visitor.visit(first, columns, squared);
          });
    }
  }

  private static double[] norms(Tensor rows) {
    return Reduction.sum(Pointwise.square(rows), KeepDim.NO, 1).toDoubles();
  }

  private static double part(boolean[] inside) {
    int count = 0;
    for (boolean b : inside) {
      count += b ? 1 : 0;
    }
    return (double) count / inside.length;
  }
}
