// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.List;
import java.util.Optional;

/** Matrix products and decompositions. */
public final class LinearAlgebra {
  private static final Operator MATMUL =
      Operator.of("aten::matmul(Tensor self, Tensor other) -> Tensor");
  private static final Operator BMM = Operator.of("aten::bmm(Tensor self, Tensor mat2) -> Tensor");
  private static final Operator EINSUM =
      Operator.of("aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor");

  private static final Operator CDIST =
      Operator.of(
          "aten::cdist(Tensor x1, Tensor x2, float p=2., int? compute_mode=None) -> Tensor");
  private static final Operator EIGH =
      Operator.of(
          "aten::linalg_eigh(Tensor self, str UPLO=\"L\") -> (Tensor eigenvalues, "
              + "Tensor eigenvectors)");
  private static final Operator EIGVALSH =
      Operator.of("aten::linalg_eigvalsh(Tensor self, str UPLO=\"L\") -> Tensor");
  private static final Operator CHOLESKY =
      Operator.of(
          "aten::linalg_cholesky_ex(Tensor self, *, bool upper=False, "
              + "bool check_errors=False) -> (Tensor L, Tensor info)");
  private static final Operator SOLVE_TRIANGULAR =
      Operator.of(
          "aten::linalg_solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, "
              + "bool unitriangular=False) -> Tensor");
  private static final Operator SVDVALS =
      Operator.of("aten::linalg_svdvals(Tensor A, *, str? driver=None) -> Tensor");

  /**
   * The decomposition {@code V diag(w) V^T} of a symmetric matrix.
   *
   * @param eigenvalues w [n], ascending
   * @param eigenvectors V [n, n], one a column, orthonormal
   */
  public record Eigen(Tensor eigenvalues, Tensor eigenvectors) {
    /** Refuses null. */
    public Eigen {
      TorchException.requireNonNull(eigenvalues, "eigenvalues");
      TorchException.requireNonNull(eigenvectors, "eigenvectors");
    }
  }

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
    return MATMUL.apply(a, b);
  }

  /** [B, n, k] x [B, k, m] to [B, n, m]. */
  public static Tensor bmm(Tensor a, Tensor b) {
    return BMM.apply(a, b);
  }

  /** Einstein's summation of two tensors, e.g. {@code "ncq,nck->nqk"}. */
  public static Tensor einsum(String equation, Tensor a, Tensor b) {
    TorchException.requireNonNull(equation, "equation");
    TorchException.requireNonNull(a, "a");
    TorchException.requireNonNull(b, "b");
    return EINSUM.call().arg(equation).arg(List.of(a, b)).tensor();
  }

  /** Euclidean distances [B, n, m] of the rows of [B, n, k] and [B, m, k]. */
  public static Tensor cdist(Tensor a, Tensor b) {
    return CDIST.apply(a, b);
  }

  /** Eigenvalues and eigenvectors of a symmetric matrix [n, n], of which the lower half is read. */
  public static Eigen eigh(Tensor symmetric) {
    List<Tensor> results = EIGH.call().arg(symmetric).tensors();
    return new Eigen(results.get(0), results.get(1));
  }

  /** Eigenvalues [n], ascending, of a symmetric matrix [n, n], of which the lower half is read. */
  public static Tensor eigvalsh(Tensor symmetric) {
    return EIGVALSH.apply(symmetric);
  }

  /**
   * Cholesky's factor L [n, n], lower triangular, with {@code L L^T} the symmetric matrix [n, n],
   * of which the lower half is read; empty where that is not positive definite.
   *
   * @throws TorchException also when there are several matrices
   */
  public static Optional<Tensor> cholesky(Tensor symmetric) {
    List<Tensor> results = CHOLESKY.call().arg(symmetric).tensors();
    Tensor factor = results.get(0);
    boolean found = false;
    try (Tensor failedAt = results.get(1)) {
      found = failedAt.item() == 0;
    } finally {
      if (!found) {
        factor.close();
      }
    }
    return found ? Optional.of(factor) : Optional.empty();
  }

  /** X [n, m] with {@code T X = B}, for a triangular matrix T [n, n] and B [n, m]. */
  public static Tensor solveTriangular(Tensor t, Triangle half, Tensor b) {
    TorchException.requireNonNull(t, "t");
    TorchException.requireNonNull(half, "half");
    TorchException.requireNonNull(b, "b");
    return SOLVE_TRIANGULAR.call().arg(t).arg(b).arg(half == Triangle.UPPER).tensor();
  }

  /** Singular values [min(n, m)], descending, of a matrix [n, m]. */
  public static Tensor svdvals(Tensor matrix) {
    return SVDVALS.apply(matrix);
  }
}
