// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

/**
 * The sums over class probabilities p of several rows that are needed for a score. Not thread-safe.
 */
final class ClassSums {
  private final double[] probabilities;
  private double negativeEntropy;
  private long count;

  /** Creates empty sums. */
  ClassSums(int classes) {
    probabilities = new double[classes];
  }

  /** Returns the number of rows. */
  long count() {
    return count;
  }

  /**
   * Adds a row. The largest logit is subtracted before exponentiation, which does not change the
   * probabilities but avoids overflow.
   *
   * @param logits of the row, which are overwritten
   * @return whether they are finite
   */
  boolean add(double[] logits) {
    double largest = Double.NEGATIVE_INFINITY;
    for (double x : logits) {
      if (!Double.isFinite(x)) {
        return false;
      }
      largest = Math.max(largest, x);
    }
    double total = 0;
    double expected = 0;
    for (int c = 0; c < logits.length; c++) {
      double shifted = logits[c] - largest;
      double e = Math.exp(shifted);
      total += e;
      // 0 log 0 is 0: a class that never occurs must not give NaN.
      expected += e == 0 ? 0 : e * shifted;
      logits[c] = e;
    }
    for (int c = 0; c < logits.length; c++) {
      probabilities[c] += logits[c] / total;
    }
    // log p = shifted - log total, so this is the sum of p log p.
    negativeEntropy += expected / total - Math.log(total);
    count++;
    return true;
  }

  /** Adds other rows, which follow these. */
  void add(ClassSums later) {
    for (int c = 0; c < probabilities.length; c++) {
      probabilities[c] += later.probabilities[c];
    }
    negativeEntropy += later.negativeEntropy;
    count += later.count;
  }

  /** Returns {@code exp(mean KL(p || q))}, where q is the mean of p: at least 1 up to rounding. */
  double score() {
    double meanKl = negativeEntropy / count;
    for (double sum : probabilities) {
      double q = sum / count;
      meanKl -= q == 0 ? 0 : q * Math.log(q);
    }
    return Math.exp(meanKl);
  }
}
