// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The Frechet distance between two Gaussians (Dowson and Landau, 1982), as used by FID (Heusel et
 * al., 2017, arXiv 1706.08500) and sFID: {@code |m1 - m2|^2 + tr(S1 + S2 - 2 sqrt(S1 S2))}, in
 * squared units of the activations.
 *
 * <p>The methods {@code between} do not modify or close their arguments. They throw a {@link
 * org.relaydiffusion.CancelledException} if the computation is cancelled.
 *
 * @param squaredShift {@code |m1 - m2|^2}
 * @param samples properties of S1
 * @param references properties of S2
 * @param traceOfRoot {@code tr sqrt(S1 S2)}
 */
public record FrechetDistance(
    double squaredShift,
    CovarianceSummary samples,
    CovarianceSummary references,
    double traceOfRoot) {
  /** Returns the distance. For equal Gaussians, rounding may make it slightly negative. */
  public double distance() {
    return squaredShift + samples.trace() + references.trace() - 2 * traceOfRoot;
  }

  /**
   * Returns a warning, in one line, if a covariance is singular (for example, because there are
   * fewer images than dimensions) or has a negative eigenvalue; otherwise empty.
   */
  public Optional<String> warning() {
    if (samples.isIndefinite() || references.isIndefinite()) {
      List<String> indefinite = new ArrayList<>();
      if (samples.isIndefinite()) {
        indefinite.add("of the samples has a negative eigenvalue: " + samples);
      }
      if (references.isIndefinite()) {
        indefinite.add("of the references has a negative eigenvalue: " + references);
      }
      return Optional.of(
          "the covariance %s, which is impossible for a covariance: the distance is not meaningful"
              .formatted(String.join(", that ", indefinite)));
    }
    List<String> singular = new ArrayList<>();
    if (samples.isSingular()) {
      singular.add("of the samples has " + samples);
    }
    if (references.isSingular()) {
      singular.add("of the references has " + references);
    }
    if (singular.isEmpty()) {
      return Optional.empty();
    }
    String few =
        samples.hasFewImages() || references.hasFewImages()
            ? "the distance is only comparable for equal numbers of images"
            : "other programs may give different last digits";
    return Optional.of("the covariance %s: %s".formatted(String.join(", that ", singular), few));
  }

  /**
   * Computes the distance as {@link #between(Moments, Moments, WorkOptions)}, with the default
   * options.
   */
  public static FrechetDistance between(Moments samples, Moments references) {
    return between(samples, references, WorkOptions.defaults());
  }

  /**
   * Computes the distance between the moments of two sets.
   *
   * @param samples mean [D] and covariance [D, D] of the samples
   * @param references mean [D] and covariance [D, D] of the references
   * @param work threads, progress and cancellation
   * @throws RdmException if the numbers of dimensions differ
   */
  public static FrechetDistance between(Moments samples, Moments references, WorkOptions work) {
    requireSame(samples.dimensions(), references.dimensions());
    try (Workers workers = new Workers(work);
        MomentsPair pair = new MomentsPair(samples, references)) {
      return pair.distance(workers);
    }
  }

  /**
   * Computes the distance between samples and given moments. If there are no more samples than
   * dimensions, their covariance is not computed.
   *
   * @param samples activations [N, D], N at least 2
   * @param references mean [D] and covariance [D, D] of the references
   * @param work threads, progress and cancellation
   * @throws RdmException if there are too few samples, one is not finite, or the numbers of
   *     dimensions differ
   */
  public static FrechetDistance between(Activations samples, Moments references, WorkOptions work) {
    requireSame(samples.dimensions(), references.dimensions());
    if (!areFew(samples)) {
      try (Moments moments = Moments.of(samples, work)) {
        return between(moments, references, work);
      }
    }
    try (CentredRows rows = CentredRows.read(samples, work);
        Workers workers = new Workers(work)) {
      return FewRows.distance(rows, references, workers);
    }
  }

  /**
   * Computes the distance between two sets of activations. For a set with no more rows than
   * dimensions, the rows are used instead of the covariance, which is faster.
   *
   * @param samples activations [N, D], N at least 2
   * @param references activations [M, D], M at least 2
   * @param work threads, progress and cancellation
   * @throws RdmException if there are too few rows, one is not finite, or the numbers of dimensions
   *     differ
   */
  public static FrechetDistance between(
      Activations samples, Activations references, WorkOptions work) {
    Survey.requireSameDimensions(samples, references);
    CentredRows.requireTwo(samples);
    CentredRows.requireTwo(references);
    if (!areFew(references)) {
      try (Moments moments = Moments.of(references, work)) {
        return between(samples, moments, work);
      }
    }
    if (!areFew(samples)) {
      try (CentredRows rows = CentredRows.read(references, work);
          Moments moments = Moments.of(samples, work);
          Workers workers = new Workers(work)) {
        return FewRows.distance(rows, moments, workers).swapped();
      }
    }
    try (CentredRows first = CentredRows.read(samples, work);
        CentredRows second = CentredRows.read(references, work);
        Workers workers = new Workers(work)) {
      return FewRows.distance(first, second, workers);
    }
  }

  private static boolean areFew(Activations activations) {
    return activations.count() <= activations.dimensions();
  }

  private FrechetDistance swapped() {
    return new FrechetDistance(squaredShift, references, samples, traceOfRoot);
  }

  private static void requireSame(long a, long b) {
    if (a != b) {
      throw new RdmException("cannot compare moments of %s and %s dimensions".formatted(a, b));
    }
  }

  /** Returns {@code |a - b|^2} of two vectors. */
  static double squaredShift(Tensor a, Tensor b) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      return Reduction.sum(Pointwise.square(a.sub(b)), KeepDim.NO, 0).item();
    }
  }
}
