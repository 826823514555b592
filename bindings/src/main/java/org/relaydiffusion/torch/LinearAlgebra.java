package org.relaydiffusion.torch;

import java.util.List;
import java.util.Optional;

/** Matrix products and decompositions. */
public final class LinearAlgebra {
  private static final Op MATMUL = Op.of("aten::matmul");
  private static final Op BMM = Op.of("aten::bmm");
  private static final Op EINSUM = Op.of("aten::einsum");

  private static final Op CDIST = Op.of("aten::cdist");
  private static final Op EIGH = Op.of("aten::linalg_eigh");
  private static final Op EIGVALSH = Op.of("aten::linalg_eigvalsh");
  private static final Op CHOLESKY = Op.of("aten::linalg_cholesky_ex");
  private static final Op SOLVE_TRIANGULAR = Op.of("aten::linalg_solve_triangular");
  private static final Op SVDVALS = Op.of("aten::linalg_svdvals");

  /**
   * The decomposition {@code V diag(w) V^T} of a symmetric matrix.
   *
   * @param eigenvalues w [n], ascending
   * @param eigenvectors V [n, n], one a column, orthonormal
   */
  public record Eigen(Tensor eigenvalues, Tensor eigenvectors) {}

  /** Which half of a triangular matrix is not 0. */
  public enum Triangle {
    /** On the diagonal and below it. */
    LOWER,
    /** On the diagonal and above it. */
    UPPER
  }

  private LinearAlgebra() {}

  /** The matrix product, batched and broadcast as PyTorch's. */
  public static Tensor matmul(Tensor a, Tensor b) {
    return MATMUL.args().t(a).t(b).tensor();
  }

  /** [B, n, k] x [B, k, m] to [B, n, m]. */
  public static Tensor bmm(Tensor a, Tensor b) {
    return BMM.args().t(a).t(b).tensor();
  }

  /** Einstein's summation of two tensors, e.g. {@code "ncq,nck->nqk"}. */
  public static Tensor einsum(String equation, Tensor a, Tensor b) {
    return EINSUM.args().string(equation).list(List.of(a, b)).none().tensor();
  }

  /** Euclidean distances [B, n, m] of the rows of [B, n, k] and [B, m, k]. */
  public static Tensor cdist(Tensor a, Tensor b) {
    return CDIST.args().t(a).t(b).d(2).none().tensor();
  }

  /** Eigenvalues and eigenvectors of a symmetric matrix [n, n], of which the lower half is read. */
  public static Eigen eigh(Tensor symmetric) {
    Tensor[] results = EIGH.args().t(symmetric).string("L").tensors(2);
    return new Eigen(results[0], results[1]);
  }

  /** Eigenvalues [n], ascending, of a symmetric matrix [n, n], of which the lower half is read. */
  public static Tensor eigvalsh(Tensor symmetric) {
    return EIGVALSH.args().t(symmetric).string("L").tensor();
  }

  /**
   * Cholesky's factor L [n, n], lower triangular, with {@code L L^T} the symmetric matrix [n, n],
   * of which the lower half is read; empty where that is not positive definite.
   */
  public static Optional<Tensor> cholesky(Tensor symmetric) {
    Tensor[] results = CHOLESKY.args().t(symmetric).b(false).b(false).tensors(2);
    try (Tensor failedAt = results[1]) {
      if (failedAt.item() == 0) {
        return Optional.of(results[0]);
      }
    }
    results[0].close();
    return Optional.empty();
  }

  /** X [n, m] with {@code T X = B}, for a triangular matrix T [n, n] and B [n, m]. */
  public static Tensor solveTriangular(Tensor t, Triangle half, Tensor b) {
    return SOLVE_TRIANGULAR.args().t(t).t(b).b(half == Triangle.UPPER).b(true).b(false).tensor();
  }

  /** Singular values [min(n, m)], descending, of a matrix [n, m]. */
  public static Tensor svdvals(Tensor matrix) {
    return SVDVALS.args().t(matrix).none().tensor();
  }
}
