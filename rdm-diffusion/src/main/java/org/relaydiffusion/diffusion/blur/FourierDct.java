// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import java.util.List;
import org.relaydiffusion.diffusion.blur.Dct.Norm;
import org.relaydiffusion.torch.Fourier;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The cosine transform computed with a Fourier transform of the same length (Makhoul, A Fast Cosine
 * Transform in One and Two Dimensions, 1980): the even elements followed by the reversed odd
 * elements are transformed, and each result is rotated by a fraction of a quarter turn. These are
 * the reference's operations in the reference's order, so on the same LibTorch the results are
 * bit-identical.
 */
final class FourierDct {
  private FourierDct() {}

  /** Transforms the last axis. */
  static Tensor dct(Tensor x, Norm norm) {
    int s = Math.toIntExact(x.size(-1));
    try (TensorScope scope = TensorScope.open()) {
      Tensor rows = Shapes.indexSelect(x.reshape(-1, s), 1, evenThenOdd(s).to(x.device()));
      Tensor spectrum = Fourier.fft(rows);
      Tensor angles = Pointwise.neg(Torch.arange(s, x.dtype())).mul(Math.PI).div(2.0 * s);
      Tensor real = Shapes.select(spectrum, 2, 0).mul(Pointwise.cos(angles).to(x.device()));
      Tensor imaginary = Shapes.select(spectrum, 2, 1).mul(Pointwise.sin(angles).to(x.device()));
      Tensor turned = real.sub(imaginary);
      if (norm == Norm.ORTHO) {
        turned = turned.div(lengths(s, x));
      }
      return scope.keep(turned.mul(2).reshape(x.shape()));
    }
  }

  /** Computes the inverse of {@link #dct} along the last axis. */
  static Tensor idct(Tensor x, Norm norm) {
    int s = Math.toIntExact(x.size(-1));
    try (TensorScope scope = TensorScope.open()) {
      Tensor real = x.reshape(-1, s).div(2);
      if (norm == Norm.ORTHO) {
        real = real.mul(lengths(s, x));
      }
      // The spectrum of a real row: frequency -k, which is s - k, is the conjugate of k.
      Tensor imaginary =
          Shapes.cat(
              List.of(
                  Shapes.narrow(real, 1, 0, 1).mul(0),
                  Pointwise.neg(Shapes.narrow(Shapes.flip(real, 1), 1, 0, s - 1))),
              1);
      Tensor angles = Torch.arange(s, x.dtype()).mul(Math.PI).div(2.0 * s);
      Tensor cosine = Pointwise.cos(angles).to(x.device());
      Tensor sine = Pointwise.sin(angles).to(x.device());
      Tensor spectrum =
          Torch.stack(
              List.of(
                  real.mul(cosine).sub(imaginary.mul(sine)),
                  real.mul(sine).add(imaginary.mul(cosine))),
              2);
      Tensor rows = Fourier.irfft(spectrum, s);
      return scope.keep(Shapes.indexSelect(rows, 1, inPlace(s).to(x.device())).reshape(x.shape()));
    }
  }

  /** Computes {@link #dct} over both axes of each patch of [N, C, H, W]. */
  static Tensor dct2d(Tensor x, int patchSize, Norm norm) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor rows = Shapes.transpose(dct(Patches.cut(x, patchSize), norm), 2, 3);
      return scope.keep(joined(dct(rows, norm), x));
    }
  }

  /** Computes {@link #idct} over both axes of each patch of [N, C, H, W]. */
  static Tensor idct2d(Tensor x, int patchSize, Norm norm) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor rows = Shapes.transpose(idct(Patches.cut(x, patchSize), norm), 2, 3);
      return scope.keep(joined(idct(rows, norm), x));
    }
  }

  /** Moves transposed patches back to their positions in {@code images}. */
  private static Tensor joined(Tensor patches, Tensor images) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor upright = Shapes.transpose(patches, 2, 3);
      return scope.keep(
          Patches.join(upright, Math.toIntExact(images.size(2)), Math.toIntExact(images.size(3))));
    }
  }

  /** Returns the Euclidean norm of each unscaled row of the transform's matrix. */
  private static Tensor lengths(int s, Tensor like) {
    double[] lengths = new double[s];
    for (int k = 0; k < s; k++) {
      lengths[k] = 2 * Math.sqrt(k == 0 ? s : s / 2.0);
    }
    return Torch.tensor(lengths, s).to(like.dtype()).to(like.device());
  }

  /** Returns 0, 2, 4, ..., 5, 3, 1. */
  private static Tensor evenThenOdd(int s) {
    long[] places = new long[s];
    for (int i = 0; i < s; i++) {
      places[i % 2 == 0 ? i / 2 : s - 1 - i / 2] = i;
    }
    return Torch.tensor(places, s);
  }

  /** Returns the inverse of {@link #evenThenOdd}. */
  private static Tensor inPlace(int s) {
    long[] places = new long[s];
    for (int i = 0; i < s; i++) {
      places[i] = i % 2 == 0 ? i / 2 : s - 1 - i / 2;
    }
    return Torch.tensor(places, s);
  }
}
