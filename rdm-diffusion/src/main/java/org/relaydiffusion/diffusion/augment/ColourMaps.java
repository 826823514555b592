// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Affine maps of colours as float32 matrices [4, 4] of red, green, blue and 1, or [N, 4, 4] with
 * one for each of N images. They are computed by LibTorch in the reference's dtype. Results belong
 * to the current scope.
 */
final class ColourMaps {
  private static final int SIZE = 4;

  /** Each component of the unit vector along the grey axis. */
  private static final float AXIS = (float) (1 / Math.sqrt(3));

  private ColourMaps() {}

  static Tensor identity() {
    return colours(1, 0, 1);
  }

  /** The projection onto the grey axis. */
  private static Tensor grey() {
    return colours(AXIS * AXIS, AXIS * AXIS, 0);
  }

  /** A matrix with equal diagonal, equal off-diagonal and a separate last element. */
  private static Tensor colours(float same, float other, float last) {
    float[] m = new float[SIZE * SIZE];
    for (int row = 0; row < 3; row++) {
      for (int column = 0; column < 3; column++) {
        m[SIZE * row + column] = row == column ? same : other;
      }
    }
    m[SIZE * SIZE - 1] = last;
    return Torch.tensor(m, SIZE, SIZE);
  }

  /** Scales all three by factors [N]. */
  static Tensor scale(Tensor factors) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor zero = Torch.zerosLike(factors);
      return scope.keep(each(factors, zero, zero, zero));
    }
  }

  /** Adds [N] to all three. */
  static Tensor brighten(Tensor by) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor zero = Torch.zerosLike(by);
      return scope.keep(each(zero.add(1), zero, zero, by));
    }
  }

  /** Rotates by angles [N] around the grey axis (Rodrigues' formula). */
  static Tensor turn(Tensor radians) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor cosine = Pointwise.cos(radians);
      Tensor parallel = Pointwise.neg(cosine).add(1).mul(AXIS * AXIS);
      Tensor across = Pointwise.sin(radians).mul(AXIS);
      return scope.keep(
          each(
              parallel.add(cosine),
              parallel.sub(across),
              parallel.add(across),
              Torch.zerosLike(radians)));
    }
  }

  /** Inverts the grey component of a colour for the images of [N, 1, 1] whose value is 1. */
  static Tensor flipGrey(Tensor flips) {
    try (TensorScope scope = TensorScope.open()) {
      return scope.keep(identity().sub(grey().mul(2).mul(flips)));
    }
  }

  /** Scales the component orthogonal to the grey axis by factors [N, 1, 1]. */
  static Tensor saturate(Tensor factors) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor grey = grey();
      return scope.keep(grey.add(identity().sub(grey).mul(factors)));
    }
  }

  /**
   * Returns [N, 4, 4] from the diagonal, the coefficients of the next and of the previous colour,
   * and the offset, each [N].
   */
  private static Tensor each(Tensor same, Tensor next, Tensor previous, Tensor added) {
    Tensor zero = Torch.zerosLike(same);
    Tensor one = zero.add(1);
    List<Tensor> elements = new ArrayList<>();
    for (int row = 0; row < 3; row++) {
      for (int column = 0; column < 3; column++) {
        elements.add(row == column ? same : column == (row + 1) % 3 ? next : previous);
      }
      elements.add(added);
    }
    Collections.addAll(elements, zero, zero, zero, one);
    return Torch.stack(elements, 1).reshape(same.numel(), SIZE, SIZE);
  }
}
