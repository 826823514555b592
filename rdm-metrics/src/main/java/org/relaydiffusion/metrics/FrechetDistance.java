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
 * The Frechet distance between two Gaussians (Dowson and Landau, 1982), as FID (Heusel et al.,
 * 2017, arXiv 1706.08500) and sFID use it: {@code |m1 - m2|^2 + tr(S1 + S2 - 2 sqrt(S1 S2))}, in
 * squared units of the activations.
 *
 * @param squaredShift {@code |m1 - m2|^2}
 * @param samples of S1
 * @param references of S2
 * @param traceOfRoot {@code tr sqrt(S1 S2)}
 */
public record FrechetDistance(
    double squaredShift,
    CovarianceSummary samples,
    CovarianceSummary references,
    double traceOfRoot) {
  /** The distance. Rounding can leave that of equal Gaussians a little below 0. */
  public double distance() {
    return squaredShift + samples.trace() + references.trace() - 2 * traceOfRoot;
  }

  /**
   * One line to print beside a distance that says less than others do, because a covariance is
   * singular (there are fewer images than dimensions, say) or has a negative eigenvalue. Empty for
   * any other.
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
          "the covariance %s: no images have such a covariance, and the distance means little"
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
            ? "compare the distance with those of as many images only"
            : "other programs may differ from the distance in its last digits";
    return Optional.of("the covariance %s: %s".formatted(String.join(", that ", singular), few));
  }

  /** As {@link #between(Moments, Moments, WorkOptions)}, with the default options. */
  public static FrechetDistance between(Moments samples, Moments references) {
    return between(samples, references, WorkOptions.defaults());
  }

  /**
   * The distance between two sets' moments.
   *
   * @throws RdmException when the two have different numbers of dimensions
   */
  public static FrechetDistance between(Moments samples, Moments references, WorkOptions work) {
    requireSame(samples.dimensions(), references.dimensions());
    try (Workers workers = new Workers(work);
        MomentsPair pair = new MomentsPair(samples, references)) {
      return pair.distance(workers);
    }
  }

  /**
   * The distance of samples from known moments. Where there are no more samples than dimensions,
   * their covariance is not made.
   *
   * @param samples activations [N, D], N at least 2
   * @throws RdmException when there are too few, one is not finite, or the two have different
   *     numbers of dimensions
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
   * The distance between two sets of activations, the cheaper way: of a set that has no more rows
   * than dimensions, the rows themselves take the covariance's place.
   *
   * @param samples activations [N, D], N at least 2
   * @param references activations [M, D], M at least 2
   * @throws RdmException when there are too few, one is not finite, or the two have different
   *     numbers of dimensions
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
      throw new RdmException(
          "moments of %s and of %s dimensions cannot be compared".formatted(a, b));
    }
  }

  /** {@code |a - b|^2} of two vectors. */
  static double squaredShift(Tensor a, Tensor b) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      return Reduction.sum(Pointwise.square(a.sub(b)), KeepDim.NO, 0).item();
    }
  }
}
