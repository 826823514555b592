package org.relaydiffusion.metrics;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The Frechet distance between two Gaussians (Dowson and Landau, 1982), as FID (Heusel et al.,
 * 2017, arXiv 1706.08500) and sFID use it: {@code |m1 - m2|^2 + tr(S1 + S2 - 2 sqrt(S1 S2))}.
 */
public final class FrechetDistance {
  private FrechetDistance() {}

  /**
   * The distance, in squared units of the activations. Rounding can leave that of equal moments a
   * little below 0.
   *
   * @throws RdmException when the two have different numbers of dimensions
   */
  public static double between(Moments a, Moments b) {
    if (a.dimensions() != b.dimensions()) {
      throw new RdmException(
          "moments of %d and of %d dimensions cannot be compared"
              .formatted(a.dimensions(), b.dimensions()));
    }
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Tensor shift = a.mean().sub(b.mean());
      double squared = Reduction.sum(Pointwise.square(shift), KeepDim.NO, 0).item();
      return squared + trace(a.covariance()) + trace(b.covariance()) - 2 * traceOfRoot(a, b);
    }
  }

  /**
   * {@code tr sqrt(S1 S2)}. With S1 = A A^T, the eigenvalues of S1 S2 other than 0 are those of the
   * symmetric A^T S2 A, so no general matrix root is needed. The covariance of the lower rank is
   * taken apart: A then has a column for each of its directions only, and those in which it is 0 do
   * not come back as the square roots of rounding errors.
   */
  private static double traceOfRoot(Moments a, Moments b) {
    boolean swap = b.maxRank() < a.maxRank();
    Tensor factor = factor(swap ? b : a);
    Tensor middle = (swap ? a : b).covariance();
    Tensor product = LinearAlgebra.matmul(middle, factor);
    Tensor inner = LinearAlgebra.matmul(Shapes.transpose(factor, 0, 1), product);
    Tensor roots = Pointwise.sqrt(clampAtZero(LinearAlgebra.eigvalsh(inner)));
    return Reduction.sum(roots, KeepDim.NO, 0).item();
  }

  /** A [D, r] with S = A A^T, where r is the largest rank that S can have. */
  static Tensor factor(Moments moments) {
    LinearAlgebra.Eigen eigen = LinearAlgebra.eigh(moments.covariance());
    long rank = moments.maxRank();
    long dropped = moments.dimensions() - rank;
    Tensor values = Shapes.narrow(eigen.eigenvalues(), 0, dropped, rank);
    Tensor vectors = Shapes.narrow(eigen.eigenvectors(), 1, dropped, rank);
    return vectors.mul(Pointwise.sqrt(clampAtZero(values)));
  }

  private static Tensor clampAtZero(Tensor eigenvalues) {
    return Pointwise.clamp(eigenvalues, Torch.scalar(0.0), null);
  }

  private static double trace(Tensor matrix) {
    long n = matrix.size(0);
    Tensor diagonal = Shapes.slice(matrix.reshape(n * n), 0, 0, n * n, n + 1);
    return Reduction.sum(diagonal, KeepDim.NO, 0).item();
  }
}
