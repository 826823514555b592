// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The discrete cosine transform (type II) and its inverse, in the dtype of the input: {@code X_k =
 * 2 sum_n x_n cos(pi (2n + 1) k / (2s))}; with {@link Norm#ORTHO} the transform is scaled to be
 * orthonormal.
 *
 * <p>The lengths are those of image patches, for which a product with the s x s matrix (computed in
 * float64) is faster than a Fourier transform and as accurate. For float32 training images, the
 * reference's Fourier transform is used if its bits are required. Results are new tensors in the
 * current scope; arguments are not modified.
 */
public final class Dct {
  private Dct() {}

  /** The scaling of coefficients. */
  public enum Norm {
    /** X_0 divided by 2 sqrt(s), the others by 2 sqrt(s / 2): an orthonormal transform. */
    ORTHO,
    /** As in the formula. */
    NONE
  }

  /** Transforms the last axis of {@code x}, [..., s]. */
  public static Tensor dct(Tensor x, Norm norm) {
    int s = lastSize(x);
    return byFourier(x, Numerics.EXACT)
        ? FourierDct.dct(x, norm)
        : alongLastAxis(x, forwardMatrix(s, norm, x.dtype(), x.device()));
  }

  /** Computes the inverse of {@link #dct} along the last axis. */
  public static Tensor idct(Tensor x, Norm norm) {
    int s = lastSize(x);
    return byFourier(x, Numerics.EXACT)
        ? FourierDct.idct(x, norm)
        : alongLastAxis(x, inverseMatrix(s, norm, x.dtype(), x.device()));
  }

  /**
   * Computes the orthonormal transform of each patch of an image, over both of its axes.
   *
   * @param x [N, C, H, W], of a floating-point dtype
   * @param patchSize s, the side of a patch; must divide H and W
   * @return [N, C, H, W], with the coefficients of each patch in its place
   * @throws RdmException if the patch size does not divide the image
   */
  public static Tensor dct2d(Tensor x, int patchSize) {
    return dct2d(x, patchSize, Norm.ORTHO);
  }

  /** Computes {@link #dct2d(Tensor, int)} with a given scaling. */
  public static Tensor dct2d(Tensor x, int patchSize, Norm norm) {
    return dct2d(x, patchSize, norm, Numerics.EXACT);
  }

  /** Computes {@link #dct2d(Tensor, int, Norm)}, with the matrix if {@code numerics} is fast. */
  public static Tensor dct2d(Tensor x, int patchSize, Norm norm, Numerics numerics) {
    return byFourier(x, numerics)
        ? FourierDct.dct2d(x, patchSize, norm)
        : overPatchesOnce(x, patchSize, forwardMatrix(patchSize, norm, x.dtype(), x.device()));
  }

  /** Computes the inverse of {@link #dct2d(Tensor, int)}. */
  public static Tensor idct2d(Tensor x, int patchSize) {
    return idct2d(x, patchSize, Norm.ORTHO);
  }

  /** Computes the inverse of {@link #dct2d(Tensor, int, Norm)}. */
  public static Tensor idct2d(Tensor x, int patchSize, Norm norm) {
    return idct2d(x, patchSize, norm, Numerics.EXACT);
  }

  /** Computes the inverse of {@link #dct2d(Tensor, int, Norm, Numerics)}. */
  public static Tensor idct2d(Tensor x, int patchSize, Norm norm, Numerics numerics) {
    return byFourier(x, numerics)
        ? FourierDct.idct2d(x, patchSize, norm)
        : overPatchesOnce(x, patchSize, inverseMatrix(patchSize, norm, x.dtype(), x.device()));
  }

  private static boolean byFourier(Tensor x, Numerics numerics) {
    return isByFourier(x.dtype(), numerics);
  }

  /** Returns whether images of a dtype are transformed by the reference's Fourier transform. */
  static boolean isByFourier(DType dtype, Numerics numerics) {
    return dtype == DType.FLOAT32 && numerics == Numerics.EXACT;
  }

  private static int lastSize(Tensor x) {
    if (x.rank() == 0 || x.size(-1) < 1) {
      throw new RdmException(
          "a cosine transform requires at least one axis, but found " + x.describe());
    }
    return Math.toIntExact(x.size(-1));
  }

  /** Closes the matrix. */
  private static Tensor alongLastAxis(Tensor x, Tensor matrix) {
    int s = lastSize(x);
    try (var scope = TensorScope.open();
        matrix) {
      Tensor transposed = Shapes.transpose(matrix, 0, 1);
      Tensor rows = LinearAlgebra.matmul(x.reshape(-1, s), transposed);
      return scope.keep(rows.reshape(x.shape()));
    }
  }

  /**
   * Computes Y = M X M^T for every s x s patch X: rows first, then columns, without moving the
   * patches.
   */
  static Tensor overPatches(Tensor x, int s, Tensor matrix) {
    Patches.check(x, s);
    long n = x.size(0);
    long c = x.size(1);
    long h = x.size(2);
    long w = x.size(3);
    try (var scope = TensorScope.open()) {
      Tensor rows = LinearAlgebra.matmul(x.reshape(-1, s), Shapes.transpose(matrix, 0, 1));
      long strips = n * c * (h / s);
      Tensor left = Shapes.expand(Shapes.unsqueeze(matrix, 0), strips, s, s);
      Tensor both = LinearAlgebra.bmm(left, rows.reshape(strips, s, w));
      return scope.keep(both.reshape(n, c, h, w));
    }
  }

  /** Computes {@link #overPatches}, and closes the matrix. */
  private static Tensor overPatchesOnce(Tensor x, int s, Tensor matrix) {
    try (matrix) {
      return overPatches(x, s, matrix);
    }
  }

  /** Returns the matrix of the transform, [s, s] in the current scope. */
  static Tensor forwardMatrix(int s, Norm norm, DType dtype, Device device) {
    return matrix(forward(s, norm), s, dtype, device);
  }

  /** Returns the matrix of the inverse, [s, s] in the current scope. */
  static Tensor inverseMatrix(int s, Norm norm, DType dtype, Device device) {
    return matrix(inverse(s, norm), s, dtype, device);
  }

  private static Tensor matrix(double[] values, int s, DType dtype, Device device) {
    try (var scope = TensorScope.open()) {
      return scope.keep(Torch.tensor(values, s, s).to(dtype).to(device));
    }
  }

  /** Returns the matrix with row k and column n. */
  private static double[] forward(int s, Norm norm) {
    double[] m = new double[s * s];
    for (int k = 0; k < s; k++) {
      double scale = norm == Norm.ORTHO ? 2 / length(k, s) : 2;
      for (int n = 0; n < s; n++) {
        m[k * s + n] = scale * cosine(k, n, s);
      }
    }
    return m;
  }

  /**
   * Returns the matrix with row n and column k: the transposed orthonormal matrix, with its columns
   * scaled back.
   */
  private static double[] inverse(int s, Norm norm) {
    double[] m = new double[s * s];
    for (int k = 0; k < s; k++) {
      double length = length(k, s);
      double scale = norm == Norm.ORTHO ? 2 / length : 2 / (length * length);
      for (int n = 0; n < s; n++) {
        m[n * s + k] = scale * cosine(k, n, s);
      }
    }
    return m;
  }

  /** Returns the Euclidean norm of the unscaled row k. */
  private static double length(int k, int s) {
    return 2 * Math.sqrt(k == 0 ? s : s / 2.0);
  }

  private static double cosine(int k, int n, int s) {
    // The angle is reduced in integers, without rounding.
    long quarterTurns = (2L * n + 1) * k % (4L * s);
    return Math.cos(Math.PI * quarterTurns / (2.0 * s));
  }
}
