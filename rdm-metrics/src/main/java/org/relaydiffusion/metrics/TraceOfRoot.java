// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * Computes {@code tr sqrt(S1 S2)} without a matrix square root. With {@code S1 = A A^T}, the
 * nonzero eigenvalues of S1 S2 are those of the symmetric {@code A^T S2 A}; with {@code S2 = B B^T}
 * in addition, they are the squared singular values of {@code A^T B}. All arithmetic is float64:
 * float32 would be wrong in the third digit.
 */
final class TraceOfRoot {
  private static final long BLOCK = 256;

  /** The form of a factor A. */
  enum Factor {
    /** Lower triangular [D, D]: the part above the diagonal is not multiplied. */
    TRIANGULAR,
    /** Any [D, r]. */
    FULL
  }

  private TraceOfRoot() {}

  /**
   * Computes the lower half of {@code A^T S A}, in blocks on all threads; the upper half is 0. The
   * result is owned by the caller.
   *
   * @param a A [D, r], on any thread
   * @param s S [D, D], symmetric, on any thread
   */
  static Tensor inner(Tensor a, Factor form, Tensor s, Workers workers) {
    long dimensions = s.size(0);
    long columns = a.size(1);
    int blocks = (int) ((columns + BLOCK - 1) / BLOCK);
    Tensor inner = Torch.zeros(DType.FLOAT64, columns, columns).release();
    Tensor transposed = Shapes.transpose(a, 0, 1).release();
    try (Tensor product = Torch.zeros(DType.FLOAT64, dimensions, columns).release()) {
      // S A, one block of columns per task.
      workers.run(
          blocks,
          block -> {
            long first = block * BLOCK;
            long count = Math.min(BLOCK, columns - first);
            long skip = form == Factor.TRIANGULAR ? first : 0;
            Tensor left = Shapes.narrow(s, 1, skip, dimensions - skip);
            Tensor right =
                Shapes.narrow(Shapes.narrow(a, 0, skip, dimensions - skip), 1, first, count);
            Shapes.narrow(product, 1, first, count).copyFrom(LinearAlgebra.matmul(left, right));
            return block;
          },
          _ -> {});
      // A^T (S A), one block of rows per task, up to the diagonal.
      workers.run(
          blocks,
          block -> {
            long first = block * BLOCK;
            long count = Math.min(BLOCK, columns - first);
            long skip = form == Factor.TRIANGULAR ? first : 0;
            Tensor left =
                Shapes.narrow(
                    Shapes.narrow(transposed, 0, first, count), 1, skip, dimensions - skip);
            Tensor right =
                Shapes.narrow(
                    Shapes.narrow(product, 0, skip, dimensions - skip), 1, 0, first + count);
            Tensor target =
                Shapes.narrow(Shapes.narrow(inner, 0, first, count), 1, 0, first + count);
            target.copyFrom(LinearAlgebra.matmul(left, right));
            return block;
          },
          _ -> {});
      return inner;
    } catch (RuntimeException e) {
      inner.close();
      throw e;
    } finally {
      transposed.close();
    }
  }

  /**
   * Computes the trace from the matrix of {@link #inner}.
   *
   * @param rank the maximum number of nonzero eigenvalues: the square roots of the rounding errors
   *     of the others are omitted
   */
  static double ofInner(Tensor inner, long rank) {
    double[] eigenvalues = LinearAlgebra.eigvalsh(inner).toDoubles();
    double trace = 0;
    for (int i = 0; i < Math.min(rank, eigenvalues.length); i++) {
      trace += Math.sqrt(Math.max(0, eigenvalues[eigenvalues.length - 1 - i]));
    }
    return trace;
  }

  /**
   * Computes the trace from both transposed factors.
   *
   * @param a A^T [r, D]
   * @param b B^T [s, D]
   * @param rank the maximum number of nonzero singular values
   */
  static double ofRows(Tensor a, Tensor b, long rank) {
    Tensor inner = LinearAlgebra.matmul(a, Shapes.transpose(b, 0, 1));
    double[] values = LinearAlgebra.svdvals(inner).toDoubles();
    double trace = 0;
    for (int i = 0; i < Math.min(rank, values.length); i++) {
      trace += values[i];
    }
    return trace;
  }
}
