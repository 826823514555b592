// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.report;

import java.util.Arrays;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.Activations;
import org.relaydiffusion.metrics.WorkOptions;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Histograms of the Euclidean norms of the features of two sets, in bins of equal width. The
 * histograms of similar sets coincide.
 *
 * @param low the lower edge of the first bin
 * @param high the upper edge of the last bin, above {@code low}
 * @param sample the fraction of the samples in each bin, with sum 1
 * @param reference the same for the reference set, with the same number of bins
 */
public record NormHistogram(double low, double high, double[] sample, double[] reference) {
  private static final long BLOCK_ROWS = 1024;

  /**
   * Computes the histograms of two sets; reads each once.
   *
   * @param sample the features of the samples [N, D], N at least 1
   * @param reference the features of the reference set [M, D], M at least 1
   * @param bins number of bins, at least 1
   * @throws RdmException if a set is empty or has a norm that is not finite
   */
  public static NormHistogram of(
      Activations sample, Activations reference, int bins, WorkOptions work) {
    if (bins < 1) {
      throw new IllegalArgumentException("a histogram must have at least 1 bin, but has " + bins);
    }
    double[] a = norms(sample, 0, reference.count(), work);
    double[] b = norms(reference, sample.count(), 0, work);
    double low = Math.min(min(a), min(b));
    double high = Math.max(max(a), max(b));
    if (low == high) {
      // All norms are equal: use the width of one bin around them.
      low -= 0.5;
      high += 0.5;
    }
    return new NormHistogram(low, high, parts(a, low, high, bins), parts(b, low, high, bins));
  }

  /**
   * Returns the lower edge of bin {@code index}; that of the bin after the last is {@link #high()}.
   */
  public double edge(int index) {
    return low + (high - low) * index / sample.length;
  }

  /**
   * Computes the norms of a set, after {@code before} rows of another and before {@code after}, for
   * the progress.
   */
  private static double[] norms(
      Activations activations, long before, long after, WorkOptions work) {
    if (activations.count() < 1) {
      throw new RdmException(activations.name() + ": contains no activations");
    }
    double[] norms = new double[Math.toIntExact(activations.count())];
    int filled = 0;
    try (Activations.Reader reader = activations.open()) {
      while (reader.remainingRows() > 0) {
        work.cancellation().check();
        try (TensorScope _ = TensorScope.open();
            GradMode _ = GradMode.noGrad()) {
          Tensor rows = reader.read(BLOCK_ROWS).to(DType.FLOAT64);
          Tensor squares = Reduction.sum(Pointwise.square(rows), KeepDim.NO, 1);
          for (double norm : Pointwise.sqrt(squares).toDoubles()) {
            if (!Double.isFinite(norm)) {
              throw new RdmException(
                  "%s: the activations of image %s are not finite"
                      .formatted(activations.name(), filled));
            }
            norms[filled++] = norm;
          }
        }
        work.listener().advanced(before + filled, before + norms.length + after);
      }
    }
    return norms;
  }

  private static double[] parts(double[] norms, double low, double high, int bins) {
    double[] parts = new double[bins];
    for (double norm : norms) {
      int bin = (int) ((norm - low) / (high - low) * bins);
      parts[Math.min(bin, bins - 1)] += 1.0 / norms.length;
    }
    return parts;
  }

  private static double min(double[] values) {
    return Arrays.stream(values).min().orElseThrow();
  }

  private static double max(double[] values) {
    return Arrays.stream(values).max().orElseThrow();
  }
}
