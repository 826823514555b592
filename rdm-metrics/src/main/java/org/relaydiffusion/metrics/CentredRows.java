// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * A small number of activations minus their mean, divided by the square root of N - 1: the
 * transpose is a factor of the covariance, which need not be computed. Owns its tensors, which any
 * thread may use.
 *
 * @param mean float64 [D]
 * @param rows float64 [N, D]
 */
record CentredRows(Tensor mean, Tensor rows) implements AutoCloseable {
  private static final long BLOCK_ROWS = 512;

  /**
   * Reads activations into memory.
   *
   * @throws RdmException if there are fewer than 2, or one is not finite
   */
  static CentredRows read(Activations activations, WorkOptions work) {
    requireTwo(activations);
    try (Workers workers = new Workers(work)) {
      Survey.of(activations, workers);
    }
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad();
        Activations.Reader reader = activations.open()) {
      List<Tensor> blocks = new ArrayList<>();
      while (reader.remainingRows() > 0) {
        blocks.add(reader.read(BLOCK_ROWS).to(DType.FLOAT64));
      }
      Tensor all = Shapes.cat(blocks, 0);
      Tensor mean = Reduction.mean(all, KeepDim.NO, 0);
      Tensor rows = all.sub(mean).div(Math.sqrt(all.size(0) - 1.0));
      return new CentredRows(mean.release(), rows.release());
    }
  }

  static void requireTwo(Activations activations) {
    if (activations.count() < 2) {
      throw new RdmException(
          "%s: an unbiased covariance requires at least 2 images, but there are %s"
              .formatted(activations.name(), activations.count()));
    }
  }

  /** Returns the maximum rank of the covariance. */
  long maxRank() {
    return Math.min(rows.size(0) - 1, rows.size(1));
  }

  /**
   * Returns the summary of the covariance, from the products of the rows, which have the same
   * nonzero eigenvalues.
   */
  CovarianceSummary summary() {
    Tensor products = LinearAlgebra.matmul(rows, Shapes.transpose(rows, 0, 1));
    return CovarianceSummary.exact(
        rows.size(1),
        OptionalLong.of(rows.size(0)),
        maxRank(),
        LinearAlgebra.eigvalsh(products).toDoubles());
  }

  @Override
  public void close() {
    mean.close();
    rows.close();
  }
}
