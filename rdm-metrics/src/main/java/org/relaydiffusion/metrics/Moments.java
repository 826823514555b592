// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalLong;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.Comparison;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The mean and unbiased covariance of a set of activations: the Gaussian compared by {@link
 * FrechetDistance}. Both are float64 on the CPU, finite, and the covariance is symmetric.
 *
 * <p>Owns its two tensors; the caller that created it closes it. {@link MomentsAccumulator}
 * computes it from samples.
 */
public final class Moments implements AutoCloseable {
  /** The maximum asymmetry of a covariance, relative to its largest element. */
  private static final double ASYMMETRY = 1e-6;

  private final Tensor mean;
  private final Tensor covariance;
  private final OptionalLong count;

  private Moments(Tensor mean, Tensor covariance, OptionalLong count) {
    this.mean = mean;
    this.covariance = covariance;
    this.count = count;
  }

  /**
   * Copies a mean [D] and a covariance [D, D] of an unknown number of samples, as contained in
   * statistics files.
   *
   * @return the moments, which the caller closes
   * @throws RdmException if the shapes do not match, an element is not finite, or the covariance is
   *     not symmetric
   */
  public static Moments of(Tensor mean, Tensor covariance) {
    return of(mean, covariance, OptionalLong.empty());
  }

  /**
   * Copies as {@link #of(Tensor, Tensor)}, with a number of samples, at least 2, which bounds the
   * rank of the covariance.
   */
  public static Moments of(Tensor mean, Tensor covariance, long count) {
    if (count < 2) {
      throw new RdmException(
          "an unbiased covariance requires at least 2 samples, but there are " + count);
    }
    return of(mean, covariance, OptionalLong.of(count));
  }

  /**
   * Computes the moments of activations in one pass.
   *
   * @return the moments, which the caller closes
   * @throws RdmException if there are fewer than 2 rows, or one is not finite
   */
  public static Moments of(Activations activations, WorkOptions work) {
    CentredRows.requireTwo(activations);
    ProgressMeter meter = new ProgressMeter(work.listener(), activations.count());
    try (MomentsAccumulator sums =
            new MomentsAccumulator(activations.dimensions(), work.threads());
        Activations.Reader reader = activations.open()) {
      while (reader.remainingRows() > 0) {
        work.cancellation().check();
        try (Tensor rows = reader.read(MomentsAccumulator.BLOCK_ROWS)) {
          requireFinite(activations.name(), sums.count(), rows);
          sums.add(rows);
        }
        meter.advance(sums.count() - meter.done());
      }
      return sums.moments();
    }
  }

  private static void requireFinite(String source, long first, Tensor rows) {
    try (TensorScope _ = TensorScope.open()) {
      if (Reduction.all(Comparison.isFinite(rows)).item() == 0) {
        PlainRows plain = new PlainRows(first, (int) rows.size(0), rows.toDoubles());
        Survey.requireFinite(source, plain);
      }
    }
  }

  private static Moments of(Tensor mean, Tensor covariance, OptionalLong count) {
    checkShapes(mean, covariance);
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Tensor m = Shapes.copy(mean.to(Device.CPU).to(DType.FLOAT64).contiguous());
      Tensor c = Shapes.copy(covariance.to(Device.CPU).to(DType.FLOAT64).contiguous());
      checkFinite("mean", m);
      checkFinite("covariance", c);
      checkSymmetric(c);
      return new Moments(m.release(), c.release(), count);
    }
  }

  /** Returns the number of dimensions D. */
  public long dimensions() {
    return mean.size(0);
  }

  /** Returns the number of samples, if known; at least 2. */
  public OptionalLong count() {
    return count;
  }

  /**
   * Returns the maximum rank of the covariance: the smaller of D and, if the number of samples is
   * known, that number minus one.
   */
  public long maxRank() {
    return count.isPresent() ? Math.min(dimensions(), count.getAsLong() - 1) : dimensions();
  }

  /** Returns the mean, float64 [D], owned by this object. */
  public Tensor mean() {
    return mean;
  }

  /** Returns the unbiased covariance, float64 [D, D], owned by this object. */
  public Tensor covariance() {
    return covariance;
  }

  /** Frees both tensors. */
  @Override
  public void close() {
    mean.close();
    covariance.close();
  }

  private static void checkShapes(Tensor mean, Tensor covariance) {
    long[] m = mean.shape();
    long[] c = covariance.shape();
    boolean fit = m.length == 1 && m[0] > 0 && Arrays.equals(c, new long[] {m[0], m[0]});
    if (!fit) {
      throw new RdmException(
          "expected a mean [D] and a covariance [D, D], but found %s and %s"
              .formatted(mean.describe(), covariance.describe()));
    }
  }

  private static void checkFinite(String what, Tensor t) {
    if (Reduction.all(Comparison.isFinite(t)).item() == 0) {
      throw new RdmException(
          "the %s of %s activations is not finite: some are infinite, NaN, or too large"
              .formatted(what, t.size(0)));
    }
  }

  private static void checkSymmetric(Tensor c) {
    double scale = Reduction.amax(Pointwise.abs(c), KeepDim.NO).item();
    Tensor difference = Pointwise.abs(c.sub(Shapes.transpose(c, 0, 1)));
    double off = Reduction.amax(difference, KeepDim.NO).item();
    if (off > ASYMMETRY * scale) {
      throw new RdmException(
          String.format(
              Locale.ROOT,
              "a covariance must be symmetric, but %s is asymmetric by %.3g, with a largest"
                  + " element of"
                  + " %.3g",
              c.describe(),
              off,
              scale));
    }
  }
}
