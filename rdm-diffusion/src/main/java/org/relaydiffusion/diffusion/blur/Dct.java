package org.relaydiffusion.diffusion.blur;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The discrete cosine transform (type II) and its inverse, in the type of the input: {@code X_k = 2
 * sum_n x_n cos(pi (2n + 1) k / (2s))}, and with {@link Norm#ORTHO} scaled so that the transform is
 * a rotation.
 *
 * <p>Lengths are those of image patches, so a product with the s x s matrix (computed in float64)
 * is quicker than a Fourier transform and as exact. In float32, in which the network's training
 * images are blurred, it is the reference's Fourier transform all the same where its bits are
 * wanted.
 */
public final class Dct {
  private Dct() {}

  /** How coefficients are scaled. */
  public enum Norm {
    /** X_0 divided by 2 sqrt(s), the others by 2 sqrt(s / 2): an orthonormal transform. */
    ORTHO,
    /** As the formula says. */
    NONE
  }

  /** The transform along the last axis. */
  public static Tensor dct(Tensor x, Norm norm) {
    int s = lastSize(x);
    return byFourier(x, Numerics.EXACT)
        ? FourierDct.dct(x, norm)
        : alongLastAxis(x, forward(s, norm));
  }

  /** The inverse of {@link #dct} along the last axis. */
  public static Tensor idct(Tensor x, Norm norm) {
    int s = lastSize(x);
    return byFourier(x, Numerics.EXACT)
        ? FourierDct.idct(x, norm)
        : alongLastAxis(x, inverse(s, norm));
  }

  /**
   * The orthonormal transform of each patch of an image, over both of its axes.
   *
   * @param x [N, C, H, W], of a floating type
   * @param patchSize s, the side of a patch; it divides H and W
   * @return [N, C, H, W], each patch's coefficients in its place
   */
  public static Tensor dct2d(Tensor x, int patchSize) {
    return dct2d(x, patchSize, Norm.ORTHO);
  }

  /** As {@link #dct2d(Tensor, int)}, scaled as {@code norm} says. */
  public static Tensor dct2d(Tensor x, int patchSize, Norm norm) {
    return dct2d(x, patchSize, norm, Numerics.EXACT);
  }

  /** As {@link #dct2d(Tensor, int, Norm)}; where {@code numerics} are fast, by the matrix. */
  public static Tensor dct2d(Tensor x, int patchSize, Norm norm, Numerics numerics) {
    return byFourier(x, numerics)
        ? FourierDct.dct2d(x, patchSize, norm)
        : overPatches(x, patchSize, forward(patchSize, norm));
  }

  /** The inverse of {@link #dct2d(Tensor, int)}. */
  public static Tensor idct2d(Tensor x, int patchSize) {
    return idct2d(x, patchSize, Norm.ORTHO);
  }

  /** The inverse of {@link #dct2d(Tensor, int, Norm)}. */
  public static Tensor idct2d(Tensor x, int patchSize, Norm norm) {
    return idct2d(x, patchSize, norm, Numerics.EXACT);
  }

  /** The inverse of {@link #dct2d(Tensor, int, Norm, Numerics)}. */
  public static Tensor idct2d(Tensor x, int patchSize, Norm norm, Numerics numerics) {
    return byFourier(x, numerics)
        ? FourierDct.idct2d(x, patchSize, norm)
        : overPatches(x, patchSize, inverse(patchSize, norm));
  }

  private static boolean byFourier(Tensor x, Numerics numerics) {
    return x.dtype() == DType.FLOAT32 && numerics == Numerics.EXACT;
  }

  private static int lastSize(Tensor x) {
    if (x.rank() == 0 || x.size(-1) < 1) {
      throw new RdmException("a cosine transform needs a last axis, but this is " + x.describe());
    }
    return Math.toIntExact(x.size(-1));
  }

  private static Tensor alongLastAxis(Tensor x, double[] matrix) {
    int s = lastSize(x);
    try (var scope = TensorScope.open()) {
      Tensor transposed = Shapes.transpose(matrix(matrix, s, x), 0, 1);
      Tensor rows = LinearAlgebra.matmul(x.reshape(-1, s), transposed);
      return scope.keep(rows.reshape(x.shape()));
    }
  }

  /** Y = M X M^T for every s x s patch X: rows first, then columns, without moving the patches. */
  private static Tensor overPatches(Tensor x, int s, double[] values) {
    Patches.check(x, s);
    long n = x.size(0);
    long c = x.size(1);
    long h = x.size(2);
    long w = x.size(3);
    try (var scope = TensorScope.open()) {
      Tensor matrix = matrix(values, s, x);
      Tensor rows = LinearAlgebra.matmul(x.reshape(-1, s), Shapes.transpose(matrix, 0, 1));
      long strips = n * c * (h / s);
      Tensor left = Shapes.expand(Shapes.unsqueeze(matrix, 0), strips, s, s);
      Tensor both = LinearAlgebra.bmm(left, rows.reshape(strips, s, w));
      return scope.keep(both.reshape(n, c, h, w));
    }
  }

  private static Tensor matrix(double[] values, int s, Tensor like) {
    return Torch.tensor(values, s, s).to(like.dtype()).to(like.device());
  }

  /** Row k, column n. */
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

  /** Row n, column k: the transposed orthonormal matrix, its columns scaled back. */
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

  /** The Euclidean length of the unscaled row k. */
  private static double length(int k, int s) {
    return 2 * Math.sqrt(k == 0 ? s : s / 2.0);
  }

  private static double cosine(int k, int n, int s) {
    // The angle is reduced in whole numbers, where nothing is rounded.
    long quarterTurns = (2L * n + 1) * k % (4L * s);
    return Math.cos(Math.PI * quarterTurns / (2.0 * s));
  }
}
