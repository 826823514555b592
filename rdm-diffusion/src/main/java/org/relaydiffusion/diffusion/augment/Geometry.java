// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.relaydiffusion.diffusion.augment.AugmentDraws.Drawn;
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
 *     in which the values were read
 * @param moved the images that are changed; the maps of the others are the identity up to rounding
 */
record Geometry(boolean isOn, Tensor maps, boolean[] moved) {
  /** Draws the values; the maps, and their labels, are known once these have been read. */
  static Supplier<Geometry> draw(
      AugmentOptions options, AugmentDraws draws, AugmentLabels labels, int width, int height) {
    Drawn scales = Drawn.NONE;
    if (options.has(AugmentSetting.SCALE)) {
      scales = draws.keep(draws.normal(1), options.probability(AugmentSetting.SCALE));
    }
    Drawn angles = Drawn.NONE;
    if (options.has(AugmentSetting.ROTATE_FRAC)) {
      angles =
          draws.keep(
              draws.angles(options.get(AugmentSetting.ROTATE_FRAC_MAX)),
              options.probability(AugmentSetting.ROTATE_FRAC));
    }
    Drawn stretches = Drawn.NONE;
    Drawn directions = Drawn.NONE;
    if (options.has(AugmentSetting.ANISO)) {
      Drawn all = draws.normal(1);
      Drawn everywhere = draws.angles(1);
      stretches = draws.keep(all, options.probability(AugmentSetting.ANISO));
      directions = draws.keep(everywhere, options.get(AugmentSetting.ANISO_ROTATE_PROB));
    }
    Drawn shifts = Drawn.NONE;
    if (options.has(AugmentSetting.TRANSLATE_FRAC)) {
      shifts = draws.keep(draws.normal(2), options.probability(AugmentSetting.TRANSLATE_FRAC));
    }
    List<Drawn> all = List.of(scales, angles, stretches, directions, shifts);
    int n = draws.images();
    return () -> of(options, all.stream().map(Drawn::values).toList(), n, labels, width, height);
  }

  /** Composes the inverse maps in reverse order, and adds the labels. */
  private static Geometry of(
      AugmentOptions options,
      List<float[]> values,
      int n,
      AugmentLabels labels,
      int width,
      int height) {
    boolean[] moved = new boolean[n];
    Tensor maps = AffineMaps.identity();
    if (options.has(AugmentSetting.SCALE)) {
      Tensor w = marked(values.get(0), moved);
      Tensor inverse =
          Pointwise.reciprocal(Pointwise.exp2(w.mul(options.get(AugmentSetting.SCALE_STD))));
      maps = LinearAlgebra.matmul(maps, AffineMaps.scale(inverse, inverse));
      labels.add(w);
    }
    if (options.has(AugmentSetting.ROTATE_FRAC)) {
      Tensor angles = marked(values.get(1), moved);
      maps = LinearAlgebra.matmul(maps, AffineMaps.rotate(angles));
      labels.add(Pointwise.cos(angles).add(-1));
      labels.add(Pointwise.sin(angles));
    }
    if (options.has(AugmentSetting.ANISO)) {
      Tensor w = marked(values.get(2), moved);
      Tensor angles = Torch.tensor(values.get(3), n);
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
      List<Tensor> w = Shapes.unbind(marked(values.get(4), moved).reshape(2, n), 0);
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
