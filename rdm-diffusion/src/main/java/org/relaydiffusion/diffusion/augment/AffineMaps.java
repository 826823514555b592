// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Affine maps of a plane as float32 matrices [3, 3] in homogeneous coordinates, or [N, 3, 3] with
 * one for each of N images. They are computed by LibTorch in the reference's dtype. Results belong
 * to the current scope.
 */
final class AffineMaps {
  private static final int SIZE = 3;

  private AffineMaps() {}

  static Tensor identity() {
    return scale(1, 1);
  }

  static Tensor scale(double x, double y) {
    return constant(x, 0, 0, 0, y, 0);
  }

  static Tensor translate(double x, double y) {
    return constant(1, 0, x, 0, 1, y);
  }

  private static Tensor constant(double xx, double xy, double x0, double yx, double yy, double y0) {
    float[] m = {(float) xx, (float) xy, (float) x0, (float) yx, (float) yy, (float) y0, 0, 0, 1};
    return Torch.tensor(m, SIZE, SIZE);
  }

  /** Returns scalings by factors [N], one per image. */
  static Tensor scale(Tensor x, Tensor y) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor zero = Torch.zerosLike(x);
      return scope.keep(each(x, zero, zero, zero, y, zero));
    }
  }

  /** Returns translations by distances [N], one per image. */
  static Tensor translate(Tensor x, Tensor y) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor zero = Torch.zerosLike(x);
      Tensor one = Torch.ones(DType.FLOAT32, x.numel());
      return scope.keep(each(one, zero, x, zero, one, y));
    }
  }

  /** Returns rotations by angles [N], one per image, from the x axis towards the y axis. */
  static Tensor rotate(Tensor radians) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor zero = Torch.zerosLike(radians);
      Tensor cosine = Pointwise.cos(radians);
      Tensor sine = Pointwise.sin(radians);
      return scope.keep(
          each(cosine, Pointwise.sin(Pointwise.neg(radians)), zero, sine, cosine, zero));
    }
  }

  /** Returns [N, 3, 3] from the elements of the first two rows, each [N]. */
  private static Tensor each(Tensor... elements) {
    long n = elements[0].numel();
    Tensor zero = Torch.zerosLike(elements[0]);
    List<Tensor> all = new ArrayList<>();
    Collections.addAll(all, elements);
    Collections.addAll(all, zero, zero, Torch.ones(DType.FLOAT32, n));
    return Torch.stack(all, 1).reshape(n, SIZE, SIZE);
  }

  /** Returns the first two rows of each map, [N, 2, 3], which determine the image of a point. */
  static Tensor rows(Tensor maps) {
    return Shapes.narrow(maps, 1, 0, 2);
  }

  /** Returns the maps [N, 3, 3] as numbers. */
  static List<Affine> toList(Tensor maps) {
    float[] m = maps.toFloats();
    List<Affine> list = new ArrayList<>();
    for (int i = 0; i < m.length; i += SIZE * SIZE) {
      list.add(new Affine(m[i], m[i + 1], m[i + 2], m[i + 3], m[i + 4], m[i + 5]));
    }
    return list;
  }
}
