// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.metrics.TraceOfRoot.Factor;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Computes the distance between the moments of two sets. If one of the covariances is positive
 * definite, its Cholesky factor is used, which is backward stable and costs a tenth of
 * eigenvectors; otherwise, the eigenvectors of the one with lower rank are used. The moments remain
 * owned by the caller.
 */
final class MomentsPair implements AutoCloseable {
  private final Moments[] sides;
  private final @Nullable Tensor[] lower = new @Nullable Tensor[2];

  /** A factor of a covariance, and the properties of the covariance. */
  private record Spectral(Tensor factor, CovarianceSummary summary) {}

  MomentsPair(Moments samples, Moments references) {
    sides = new Moments[] {samples, references};
  }

  FrechetDistance distance(Workers workers) {
    workers.run(
        2,
        i -> {
          lower[i] = choleskyFactor(sides[i]).map(Tensor::release).orElse(null);
          return i;
        },
        _ -> {});
    for (int own = 0; own < 2; own++) {
      Tensor factor = lower[own];
      if (factor != null) {
        return byCholesky(own, factor, workers);
      }
    }
    return byEigenvectors(sides[1].maxRank() < sides[0].maxRank() ? 1 : 0, workers);
  }

  private FrechetDistance byCholesky(int own, Tensor factor, Workers workers) {
    CovarianceSummary[] summaries = new CovarianceSummary[2];
    double[] trace = new double[1];
    Tensor other = sides[1 - own].covariance();
    try (Tensor inner = TraceOfRoot.inner(factor, Factor.TRIANGULAR, other, workers)) {
      workers.run(
          3,
          task -> {
            if (task == 0) {
              trace[0] = TraceOfRoot.ofInner(inner, rank());
            } else {
              summaries[task - 1] = summary(sides[task - 1], lower[task - 1]);
            }
            return task;
          },
          _ -> {});
    }
    return result(summaries[0], summaries[1], trace[0]);
  }

  private FrechetDistance byEigenvectors(int own, Workers workers) {
    CovarianceSummary[] summaries = new CovarianceSummary[2];
    workers.run(
        2,
        i -> {
          if (i == own) {
            Spectral spectral = spectral(sides[i]);
            lower[i] = spectral.factor.release();
            summaries[i] = spectral.summary;
          } else {
            summaries[i] = summary(sides[i], null);
          }
          return i;
        },
        _ -> {});
    Tensor factor = lower[own];
    if (factor == null) {
      throw new IllegalStateException("the factor was not computed");
    }
    try (TensorScope _ = TensorScope.open();
        Tensor inner =
            TraceOfRoot.inner(factor, Factor.FULL, sides[1 - own].covariance(), workers)) {
      return result(summaries[0], summaries[1], TraceOfRoot.ofInner(inner, rank()));
    }
  }

  private FrechetDistance result(
      CovarianceSummary samples, CovarianceSummary references, double trace) {
    double shift = FrechetDistance.squaredShift(sides[0].mean(), sides[1].mean());
    return new FrechetDistance(shift, samples, references, trace);
  }

  private long rank() {
    return Math.min(sides[0].maxRank(), sides[1].maxRank());
  }

  /** Returns the factor of moments: the Cholesky factor of their covariance, if it exists. */
  static CovarianceSummary summary(Moments moments, @Nullable Tensor lower) {
    if (lower != null) {
      return CovarianceSummary.estimated(moments, lower);
    }
    double[] eigenvalues = LinearAlgebra.eigvalsh(moments.covariance()).toDoubles();
    return CovarianceSummary.exact(moments, eigenvalues);
  }

  /**
   * Returns the Cholesky factor of a covariance if its rank may be full and no pivot is so small
   * that it may be rounding error.
   */
  static Optional<Tensor> choleskyFactor(Moments moments) {
    if (moments.maxRank() < moments.dimensions()) {
      return Optional.empty();
    }
    Tensor covariance = moments.covariance();
    double largest = Reduction.amax(CovarianceSummary.diagonal(covariance), KeepDim.NO, 0).item();
    return LinearAlgebra.cholesky(covariance)
        .filter(l -> {
          // L is column-major, so a view of the diagonal is one of its transpose.
          Tensor pivots = CovarianceSummary.diagonal(Shapes.transpose(l, 0, 1));
          double smallest = Reduction.amin(pivots, KeepDim.NO, 0).item();
          return smallest * smallest > CovarianceSummary.noise(moments.dimensions(), largest);
        });
  }

  /** Returns A [D, r] with S = A A^T, where r is the maximum rank of S. */
  static Tensor eigenFactor(Moments moments) {
    return spectral(moments).factor;
  }

  private static Spectral spectral(Moments moments) {
    LinearAlgebra.Eigen eigen = LinearAlgebra.eigh(moments.covariance());
    long rank = moments.maxRank();
    long dropped = moments.dimensions() - rank;
    Tensor values = Shapes.narrow(eigen.eigenvalues(), 0, dropped, rank);
    Tensor vectors = Shapes.narrow(eigen.eigenvectors(), 1, dropped, rank);
    Tensor roots = Pointwise.sqrt(Pointwise.clamp(values, Torch.scalar(0.0), null));
    return new Spectral(
        vectors.mul(roots), CovarianceSummary.exact(moments, eigen.eigenvalues().toDoubles()));
  }

  @Override
  public void close() {
    for (Tensor l : lower) {
      if (l != null) {
        l.close();
      }
    }
  }
}
