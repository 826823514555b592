// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * The geometric operations: scaling, rotation, anisotropic scaling and translation by real numbers,
 * in this order, as one map per image.
 *
 * @param isOn whether one of the operations is enabled
 * @param maps for each image the map from a position in the result to its source, in pixels from
 *     the centre: float32 [N, 3, 3] on the CPU, [3, 3] if none is enabled. They belong to the scope
 *     in which they were drawn
 * @param moved the images that are changed; the maps of the others are the identity up to rounding
 */
record Geometry(boolean isOn, Tensor maps, boolean[] moved) {
  /** Draws the values, and adds their labels; the inverse maps are composed in reverse order. */
  static Geometry draw(
      AugmentOptions options, AugmentDraws draws, AugmentLabels labels, int width, int height) {
    int n = draws.images();
    boolean[] moved = new boolean[n];
    Tensor maps = AffineMaps.identity();
    if (options.has(AugmentSetting.SCALE)) {
      Tensor w =
          marked(draws.keep(draws.normal(1), options.probability(AugmentSetting.SCALE)), moved);
      Tensor inverse =
          Pointwise.reciprocal(Pointwise.exp2(w.mul(options.get(AugmentSetting.SCALE_STD))));
      maps = LinearAlgebra.matmul(maps, AffineMaps.scale(inverse, inverse));
      labels.add(w);
    }
    if (options.has(AugmentSetting.ROTATE_FRAC)) {
      Tensor angles =
          marked(
              draws.keep(
                  draws.angles(options.get(AugmentSetting.ROTATE_FRAC_MAX)),
                  options.probability(AugmentSetting.ROTATE_FRAC)),
              moved);
      maps = LinearAlgebra.matmul(maps, AffineMaps.rotate(angles));
      labels.add(Pointwise.cos(angles).add(-1));
      labels.add(Pointwise.sin(angles));
    }
    if (options.has(AugmentSetting.ANISO)) {
      float[] scales = draws.normal(1);
      float[] directions = draws.angles(1);
      Tensor w = marked(draws.keep(scales, options.probability(AugmentSetting.ANISO)), moved);
      Tensor angles =
          Torch.tensor(draws.keep(directions, options.get(AugmentSetting.ANISO_ROTATE_PROB)), n);
      Tensor inverse =
          Pointwise.reciprocal(Pointwise.exp2(w.mul(options.get(AugmentSetting.ANISO_STD))));
      // Without scaling, the rotations cancel up to rounding.
      maps = LinearAlgebra.matmul(maps, AffineMaps.rotate(Pointwise.neg(angles)));
      maps = LinearAlgebra.matmul(maps, AffineMaps.scale(inverse, Pointwise.reciprocal(inverse)));
      maps = LinearAlgebra.matmul(maps, AffineMaps.rotate(angles));
      labels.add(w.mul(Pointwise.cos(angles)));
      labels.add(w.mul(Pointwise.sin(angles)));
    }
    if (options.has(AugmentSetting.TRANSLATE_FRAC)) {
      float[] parts =
          draws.keep(draws.normal(2), options.probability(AugmentSetting.TRANSLATE_FRAC));
      List<Tensor> w = Shapes.unbind(marked(parts, moved).reshape(2, n), 0);
      double deviation = options.get(AugmentSetting.TRANSLATE_FRAC_STD);
      Tensor x = Pointwise.neg(w.get(0).mul(width * deviation));
      Tensor y = Pointwise.neg(w.get(1).mul(height * deviation));
      maps = LinearAlgebra.matmul(maps, AffineMaps.translate(x, y));
      w.forEach(labels::add);
    }
    return new Geometry(isOn(options), maps, moved);
  }

  /** Checks the values of the images, row by row; an image with a nonzero value is changed. */
  private static Tensor marked(float[] values, boolean[] moved) {
    for (int i = 0; i < values.length; i++) {
      moved[i % moved.length] |= values[i] != 0;
    }
    return Torch.tensor(values, values.length);
  }

  private static boolean isOn(AugmentOptions options) {
    return options.has(AugmentSetting.SCALE)
        || options.has(AugmentSetting.ROTATE_FRAC)
        || options.has(AugmentSetting.ANISO)
        || options.has(AugmentSetting.TRANSLATE_FRAC);
  }

  /** Returns the maps, which are exactly the identity for images that are not changed. */
  List<Affine> sources() {
    List<Affine> sources = new ArrayList<>(AffineMaps.toList(maps));
    for (int i = 0; i < moved.length; i++) {
      if (!moved[i]) {
        sources.set(i, Affine.IDENTITY);
      }
    }
    return sources;
  }
}
