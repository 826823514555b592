// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/** Rows for tests, as arrays. */
final class Rows {
  private Rows() {}

  /** Normal rows whose elements have a standard deviation of 1. */
  static double[][] normal(long seed, int count, int dimensions) {
    Random random = new Random(seed);
    double[][] rows = new double[count][dimensions];
    for (double[] row : rows) {
      Arrays.setAll(row, d -> random.nextGaussian());
    }
    return rows;
  }

  /** Rows of small whole numbers, so that many distances are equal and all are exact. */
  static double[][] whole(long seed, int count, int dimensions, int bound) {
    Random random = new Random(seed);
    double[][] rows = new double[count][dimensions];
    for (double[] row : rows) {
      Arrays.setAll(row, d -> random.nextInt(bound));
    }
    return rows;
  }

  static double[][] map(double[][] rows, DoubleUnaryOperator f) {
    return Arrays.stream(rows).map(r -> Arrays.stream(r).map(f).toArray()).toArray(double[][]::new);
  }

  static double[][] join(double[][] a, double[][] b) {
    double[][] joined = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, joined, a.length, b.length);
    return joined;
  }

  /** float64 [N, D], in the innermost scope. */
  static Tensor tensor(double[][] rows) {
    double[] flat = Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
    return Torch.tensor(flat, rows.length, rows[0].length);
  }

  static Activations of(String name, double[][] rows) {
    return Activations.of(name, tensor(rows));
  }

  static double[][] of(Tensor tensor) {
    int dimensions = (int) tensor.size(1);
    double[] flat = tensor.toDoubles();
    double[][] rows = new double[(int) tensor.size(0)][];
    Arrays.setAll(rows, i -> Arrays.copyOfRange(flat, i * dimensions, (i + 1) * dimensions));
    return rows;
  }
}
