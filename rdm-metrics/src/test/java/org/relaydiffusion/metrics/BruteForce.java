// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Distances between all rows of two sets, in plain float64: what the quick ways must equal. */
final class BruteForce {
  private BruteForce() {}

  static double squaredDistance(double[] a, double[] b) {
    double sum = 0;
    for (int d = 0; d < a.length; d++) {
      sum += (a[d] - b[d]) * (a[d] - b[d]);
    }
    return sum;
  }

  /** The squared distances of each row's k-th nearest other. */
  static float[] radii(double[][] rows, int k) {
    float[] radii = new float[rows.length];
    for (int i = 0; i < rows.length; i++) {
      double[] row = rows[i];
      double[] all =
          Arrays.stream(rows).mapToDouble(r -> squaredDistance(row, r)).sorted().toArray();
      // The row itself is among them, at 0.
      radii[i] = (float) all[k];
    }
    return radii;
  }

  static PrecisionRecall precisionRecall(double[][] samples, double[][] references, int k) {
    return new PrecisionRecall(
        k,
        samples.length,
        inside(samples, references, radii(references, k)),
        references.length,
        inside(references, samples, radii(samples, k)));
  }

  private static long inside(double[][] rows, double[][] centres, float[] radii) {
    return Arrays.stream(rows)
        .filter(row ->
            IntStream.range(0, centres.length)
                .anyMatch(i -> squaredDistance(row, centres[i]) <= radii[i]))
        .count();
  }

  static List<Integer> nearest(double[] query, double[][] rows, int k) {
    return IntStream.range(0, rows.length)
        .boxed()
        .sorted(
            Comparator.<Integer>comparingDouble(i -> squaredDistance(query, rows[i]))
                .thenComparingInt(i -> i))
        .limit(k)
        .toList();
  }
}
