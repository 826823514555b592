// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalLong;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.LinearAlgebra.Triangle;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Properties of a covariance, which determine how meaningful a distance is.
 *
 * @param dimensions D
 * @param count the number of images, if known
 * @param rank the number of directions whose variance exceeds rounding error: above D 2^-52 times
 *     the largest
 * @param trace the sum of all variances
 * @param smallest the smallest eigenvalue, or an upper estimate if the rank is full; negative only
 *     by more than rounding error, if the matrix is not a covariance
 * @param largest the largest eigenvalue, or a lower estimate if the rank is full
 */
public record CovarianceSummary(
    long dimensions, OptionalLong count, long rank, double trace, double smallest, double largest) {
  private static final int ITERATIONS = 12;

  /** Returns whether some directions have no variance except for rounding error. */
  public boolean isSingular() {
    return rank < dimensions;
  }

  /**
   * Returns whether an eigenvalue is negative by more than rounding error, which is impossible for
   * a covariance.
   */
  public boolean isIndefinite() {
    return smallest < 0;
  }

  /** Returns whether there are known to be too few images for full rank. */
  public boolean hasFewImages() {
    return count.isPresent() && count.getAsLong() <= dimensions;
  }

  /**
   * Returns the largest eigenvalue divided by the smallest; infinite if the latter is not positive.
   */
  public double condition() {
    return smallest > 0 ? largest / smallest : Double.POSITIVE_INFINITY;
  }

  /** Returns one line, such as {@code rank 999 of 2048 (1000 images), eigenvalues 0.00 to 12.3}. */
  @Override
  public String toString() {
    String images =
        count.isPresent() ? "%s images".formatted(count.getAsLong()) : "number of images unknown";
    return String.format(
        Locale.ROOT,
        "rank %d of %d (%s), eigenvalues %.3g to %.3g",
        rank,
        dimensions,
        images,
        smallest,
        largest);
  }

  /**
   * Returns the summary of {@code moments} whose covariance has all of these eigenvalues, in
   * ascending order.
   */
  static CovarianceSummary exact(Moments moments, double[] eigenvalues) {
    return exact(moments.dimensions(), moments.count(), moments.maxRank(), eigenvalues);
  }

  /**
   * Returns the summary of a covariance with these eigenvalues.
   *
   * @param maxRank the known maximum rank; smaller eigenvalues are considered to be 0
   * @param eigenvalues in ascending order; omitted ones are 0
   */
  static CovarianceSummary exact(
      long dimensions, OptionalLong count, long maxRank, double[] eigenvalues) {
    double largest = Math.max(0, eigenvalues[eigenvalues.length - 1]);
    double noise = noise(dimensions, largest);
    long rank = Math.min(maxRank, Arrays.stream(eigenvalues).filter(e -> e > noise).count());
    boolean all = maxRank == dimensions && eigenvalues.length == dimensions;
    double least = eigenvalues[0];
    double smallest = least < -noise ? least : all ? Math.max(0, least) : 0;
    return new CovarianceSummary(
        dimensions, count, rank, Arrays.stream(eigenvalues).sum(), smallest, largest);
  }

  /**
   * Returns the summary of {@code moments}, by some steps of iteration with the Cholesky factor. If
   * an eigenvalue may be rounding error, all of them are computed.
   *
   * @param lower the factor L [D, D] of their covariance
   */
  static CovarianceSummary estimated(Moments moments, Tensor lower) {
    try (TensorScope _ = TensorScope.open()) {
      Tensor covariance = moments.covariance();
      Tensor upper = Shapes.transpose(lower, 0, 1);
      Tensor up = start(moments.dimensions());
      Tensor down = up;
      double largest = 0;
      double smallest = 0;
      for (int i = 0; i < ITERATIONS; i++) {
        Tensor image = LinearAlgebra.matmul(covariance, up);
        largest = length(image);
        up = image.div(largest);
        Tensor half = LinearAlgebra.solveTriangular(lower, Triangle.LOWER, down);
        Tensor source = LinearAlgebra.solveTriangular(upper, Triangle.UPPER, half);
        double inverse = length(source);
        smallest = 1 / inverse;
        down = source.div(inverse);
      }
      if (!(smallest > noise(moments.dimensions(), largest))) {
        return exact(moments, LinearAlgebra.eigvalsh(covariance).toDoubles());
      }
      return new CovarianceSummary(
          moments.dimensions(),
          moments.count(),
          moments.dimensions(),
          trace(covariance),
          smallest,
          largest);
    }
  }

  /** Returns the largest value that may be rounding error. */
  static double noise(long dimensions, double largest) {
    return dimensions * 0x1p-52 * largest;
  }

  static double trace(Tensor matrix) {
    return Reduction.sum(diagonal(matrix), KeepDim.NO, 0).item();
  }

  /** Returns the diagonal [n] of a row-major matrix [n, n]. */
  static Tensor diagonal(Tensor matrix) {
    long n = matrix.size(0);
    return Shapes.slice(matrix.reshape(n * n), 0, 0, n * n, n + 1);
  }

  /** Returns a unit vector [n, 1] that is unlikely to be orthogonal to an eigenvector. */
  private static Tensor start(long n) {
    double[] values = new double[(int) n];
    for (int i = 0; i < n; i++) {
      values[i] = 1 + Math.sin(i * (i + 1.0));
    }
    Tensor vector = Torch.tensor(values, n, 1);
    return vector.div(length(vector));
  }

  private static double length(Tensor vector) {
    return Math.sqrt(Reduction.sum(Pointwise.square(vector), KeepDim.NO, 0, 1).item());
  }
}
