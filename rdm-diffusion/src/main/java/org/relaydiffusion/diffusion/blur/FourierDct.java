// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.blur;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.blur.Dct.Norm;
import org.relaydiffusion.diffusion.transfer.HostValues;
import org.relaydiffusion.diffusion.transfer.HostValues.Sent;
import org.relaydiffusion.torch.DType;
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
 *
 * <p>An object has the constants of one transform or its inverse, on the device of the images.
 */
final class FourierDct {
  private final int length;
  private final Sent order;
  private final Sent cosine;
  private final Sent sine;
  private final @Nullable Sent rowLengths;

  private FourierDct(
      HostValues constants, int length, long[] order, Tensor angles, @Nullable Tensor rowLengths) {
    this.length = length;
    this.order = constants.add(Torch.tensor(order, length));
    this.cosine = constants.add(Pointwise.cos(angles));
    this.sine = constants.add(Pointwise.sin(angles));
    this.rowLengths = rowLengths == null ? null : constants.add(rowLengths);
  }

  /**
   * Adds the constants of the transform, to be sent before it is used. They belong to the current
   * scope.
   *
   * @param dtype of what is transformed
   */
  static FourierDct forward(HostValues constants, int length, DType dtype, Norm norm) {
    Tensor angles = Pointwise.neg(Torch.arange(length, dtype)).mul(Math.PI).div(2.0 * length);
    return new FourierDct(
        constants, length, evenThenOdd(length), angles, rowLengths(length, dtype, norm));
  }

  /** Adds the constants of the inverse, as {@link #forward}. */
  static FourierDct inverse(HostValues constants, int length, DType dtype, Norm norm) {
    Tensor angles = Torch.arange(length, dtype).mul(Math.PI).div(2.0 * length);
    return new FourierDct(
        constants, length, inPlace(length), angles, rowLengths(length, dtype, norm));
  }

  /** Transforms the last axis, with the constants of {@link #forward}. */
  Tensor transform(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor rows = Shapes.indexSelect(x.reshape(-1, length), 1, order.get());
      Tensor spectrum = Fourier.fft(rows);
      Tensor real = Shapes.select(spectrum, 2, 0).mul(cosine.get());
      Tensor imaginary = Shapes.select(spectrum, 2, 1).mul(sine.get());
      Tensor turned = real.sub(imaginary);
      if (rowLengths != null) {
        turned = turned.div(rowLengths.get());
      }
      return scope.keep(turned.mul(2).reshape(x.shape()));
    }
  }

  /** Inverts {@link #transform}, with the constants of {@link #inverse}. */
  Tensor invert(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor real = x.reshape(-1, length).div(2);
      if (rowLengths != null) {
        real = real.mul(rowLengths.get());
      }
      // The spectrum of a real row: frequency -k, which is s - k, is the conjugate of k.
      Tensor imaginary =
          Shapes.cat(
              List.of(
                  Shapes.narrow(real, 1, 0, 1).mul(0),
                  Pointwise.neg(Shapes.narrow(Shapes.flip(real, 1), 1, 0, length - 1))),
              1);
      Tensor spectrum =
          Torch.stack(
              List.of(
                  real.mul(cosine.get()).sub(imaginary.mul(sine.get())),
                  real.mul(sine.get()).add(imaginary.mul(cosine.get()))),
              2);
      Tensor rows = Fourier.irfft(spectrum, length);
      return scope.keep(Shapes.indexSelect(rows, 1, order.get()).reshape(x.shape()));
    }
  }

  /** Performs {@link #transform} over both axes of each patch of [N, C, H, W]. */
  Tensor transformPatches(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor rows = Shapes.transpose(transform(Patches.cut(x, length)), 2, 3);
      return scope.keep(joined(transform(rows), x));
    }
  }

  /** Performs {@link #invert} over both axes of each patch of [N, C, H, W]. */
  Tensor invertPatches(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor rows = Shapes.transpose(invert(Patches.cut(x, length)), 2, 3);
      return scope.keep(joined(invert(rows), x));
    }
  }

  /** Transforms the last axis once. */
  static Tensor dct(Tensor x, Norm norm) {
    try (TensorScope scope = TensorScope.open()) {
      return scope.keep(forward(x, Math.toIntExact(x.size(-1)), norm).transform(x));
    }
  }

  /** Inverts {@link #dct(Tensor, Norm)}. */
  static Tensor idct(Tensor x, Norm norm) {
    try (TensorScope scope = TensorScope.open()) {
      return scope.keep(inverse(x, Math.toIntExact(x.size(-1)), norm).invert(x));
    }
  }

  /** Transforms both axes of each patch of [N, C, H, W] once. */
  static Tensor dct2d(Tensor x, int patchSize, Norm norm) {
    try (TensorScope scope = TensorScope.open()) {
      return scope.keep(forward(x, patchSize, norm).transformPatches(x));
    }
  }

  /** Inverts {@link #dct2d(Tensor, int, Norm)}. */
  static Tensor idct2d(Tensor x, int patchSize, Norm norm) {
    try (TensorScope scope = TensorScope.open()) {
      return scope.keep(inverse(x, patchSize, norm).invertPatches(x));
    }
  }

  private static FourierDct forward(Tensor like, int length, Norm norm) {
    HostValues constants = new HostValues(like.device());
    FourierDct made = forward(constants, length, like.dtype(), norm);
    constants.send();
    return made;
  }

  private static FourierDct inverse(Tensor like, int length, Norm norm) {
    HostValues constants = new HostValues(like.device());
    FourierDct made = inverse(constants, length, like.dtype(), norm);
    constants.send();
    return made;
  }

  /** Moves transposed patches back to their positions in {@code images}. */
  private static Tensor joined(Tensor patches, Tensor images) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor upright = Shapes.transpose(patches, 2, 3);
      return scope.keep(
          Patches.join(upright, Math.toIntExact(images.size(2)), Math.toIntExact(images.size(3))));
    }
  }

  /** Returns the Euclidean norm of each unscaled row of the transform's matrix, if it is needed. */
  private static @Nullable Tensor rowLengths(int s, DType dtype, Norm norm) {
    if (norm != Norm.ORTHO) {
      return null;
    }
    double[] lengths = new double[s];
    for (int k = 0; k < s; k++) {
      lengths[k] = 2 * Math.sqrt(k == 0 ? s : s / 2.0);
    }
    return Torch.tensor(lengths, s).to(dtype);
  }

  /** Returns 0, 2, 4, ..., 5, 3, 1. */
  private static long[] evenThenOdd(int s) {
    long[] places = new long[s];
    for (int i = 0; i < s; i++) {
      places[i % 2 == 0 ? i / 2 : s - 1 - i / 2] = i;
    }
    return places;
  }

  /** Returns the inverse of {@link #evenThenOdd}. */
  private static long[] inPlace(int s) {
    long[] places = new long[s];
    for (int i = 0; i < s; i++) {
      places[i] = i % 2 == 0 ? i / 2 : s - 1 - i / 2;
    }
    return places;
  }
}
