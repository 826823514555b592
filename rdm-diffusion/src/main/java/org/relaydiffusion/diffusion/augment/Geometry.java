package org.relaydiffusion.diffusion.augment;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The geometric part: scaling, rotation, anisotropic scaling and translation by real numbers, in
 * this order, as one map an image.
 *
 * @param isOn whether one of the operations is on at all
 * @param sources for each image the map from a place in the result to where its colour is found, in
 *     pixels from the centre
 */
record Geometry(boolean isOn, List<Affine> sources) {
  static Geometry draw(
      AugmentOptions options, AugmentDraws draws, AugmentLabels labels, int width, int height) {
    int n = draws.images();
    List<Affine> maps = new ArrayList<>(Collections.nCopies(n, Affine.IDENTITY));
    if (options.has(AugmentSetting.SCALE)) {
      float[] w = draws.keep(draws.normal(1), options.probability(AugmentSetting.SCALE));
      double deviation = options.get(AugmentSetting.SCALE_STD);
      prepend(maps, i -> Affine.scale(exp2(-w[i] * deviation), exp2(-w[i] * deviation)));
      labels.add(i -> w[i]);
    }
    if (options.has(AugmentSetting.ROTATE_FRAC)) {
      float[] angles =
          draws.keep(
              draws.angles(options.get(AugmentSetting.ROTATE_FRAC_MAX)),
              options.probability(AugmentSetting.ROTATE_FRAC));
      prepend(maps, i -> Affine.rotate(angles[i]));
      labels.add(i -> Math.cos(angles[i]) - 1);
      labels.add(i -> Math.sin(angles[i]));
    }
    if (options.has(AugmentSetting.ANISO)) {
      float[] w = draws.normal(1);
      float[] angles = draws.angles(1);
      draws.keep(w, options.probability(AugmentSetting.ANISO));
      draws.keep(angles, options.get(AugmentSetting.ANISO_ROTATE_PROB));
      double deviation = options.get(AugmentSetting.ANISO_STD);
      prepend(
          maps,
          i ->
              // Without scaling the turns cancel, but for rounding.
              w[i] == 0
                  ? Affine.IDENTITY
                  : Affine.rotate(angles[i])
                      .then(Affine.scale(exp2(-w[i] * deviation), exp2(w[i] * deviation)))
                      .then(Affine.rotate(-angles[i])));
      labels.add(i -> w[i] * Math.cos(angles[i]));
      labels.add(i -> w[i] * Math.sin(angles[i]));
    }
    if (options.has(AugmentSetting.TRANSLATE_FRAC)) {
      float[] w = draws.keep(draws.normal(2), options.probability(AugmentSetting.TRANSLATE_FRAC));
      double deviation = options.get(AugmentSetting.TRANSLATE_FRAC_STD);
      prepend(
          maps, i -> Affine.translate(-w[i] * width * deviation, -w[n + i] * height * deviation));
      labels.add(i -> w[i]);
      labels.add(i -> w[n + i]);
    }
    return new Geometry(isOn(options), maps);
  }

  private static boolean isOn(AugmentOptions options) {
    return options.has(AugmentSetting.SCALE)
        || options.has(AugmentSetting.ROTATE_FRAC)
        || options.has(AugmentSetting.ANISO)
        || options.has(AugmentSetting.TRANSLATE_FRAC);
  }

  /** The inverse of an operation on one image. */
  private interface Inverse {
    Affine of(int image);
  }

  /** The last operation on an image is the first on the way back from its result. */
  private static void prepend(List<Affine> maps, Inverse inverse) {
    for (int i = 0; i < maps.size(); i++) {
      maps.set(i, inverse.of(i).then(maps.get(i)));
    }
  }

  private static double exp2(double x) {
    return Math.pow(2, x);
  }
}
