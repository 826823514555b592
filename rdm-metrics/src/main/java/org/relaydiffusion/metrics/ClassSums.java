package org.relaydiffusion.metrics;

/** What a score needs of the class probabilities p of some rows. For one thread at a time. */
final class ClassSums {
  private final double[] probabilities;
  private double negativeEntropy;
  private long count;

  /** The sums of no rows. */
  ClassSums(int classes) {
    probabilities = new double[classes];
  }

  /** The number of rows. */
  long count() {
    return count;
  }

  /**
   * Adds a row. The largest logit is subtracted before anything is raised to a power, which changes
   * no probability, but none overflows.
   *
   * @param logits its logits, which are lost
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
      // 0 log 0 is 0: no class that never occurs makes a NaN.
      expected += e == 0 ? 0 : e * shifted;
      logits[c] = e;
    }
    for (int c = 0; c < logits.length; c++) {
      probabilities[c] += logits[c] / total;
    }
    // log p = shifted - log total, so the sum of p log p is this.
    negativeEntropy += expected / total - Math.log(total);
    count++;
    return true;
  }

  /** Adds other rows, which come after these. */
  void add(ClassSums later) {
    for (int c = 0; c < probabilities.length; c++) {
      probabilities[c] += later.probabilities[c];
    }
    negativeEntropy += later.negativeEntropy;
    count += later.count;
  }

  /** {@code exp(mean KL(p || q))}, with q the mean of p: 1 or more, but for rounding. */
  double score() {
    double meanKl = negativeEntropy / count;
    for (double sum : probabilities) {
      double q = sum / count;
      meanKl -= q == 0 ? 0 : q * Math.log(q);
    }
    return Math.exp(meanKl);
  }
}
