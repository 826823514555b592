// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The colour operations: brightness, contrast, luma flip, hue and saturation, in this order, as one
 * map per image.
 *
 * @param isOn whether one of the operations is enabled
 * @param maps for each image an affine map of red, green, blue and 1: float32 [N, 4, 4] on the CPU,
 *     [4, 4] if none is enabled. They belong to the scope in which they were drawn
 */
record Colour(boolean isOn, Tensor maps) {
  /** Draws the values, and adds their labels. */
  static Colour draw(AugmentOptions options, AugmentDraws draws, AugmentLabels labels) {
    int n = draws.images();
    Tensor maps = ColourMaps.identity();
    if (options.has(AugmentSetting.BRIGHTNESS)) {
      Tensor w = kept(draws.normal(1), AugmentSetting.BRIGHTNESS, options, draws);
      Tensor by = w.mul(options.get(AugmentSetting.BRIGHTNESS_STD));
      maps = LinearAlgebra.matmul(ColourMaps.brighten(by), maps);
      labels.add(w);
    }
    if (options.has(AugmentSetting.CONTRAST)) {
      Tensor w = kept(draws.normal(1), AugmentSetting.CONTRAST, options, draws);
      Tensor factor = Pointwise.exp2(w.mul(options.get(AugmentSetting.CONTRAST_STD)));
      maps = LinearAlgebra.matmul(ColourMaps.scale(factor), maps);
      labels.add(w);
    }
    if (options.has(AugmentSetting.LUMAFLIP)) {
      Tensor w = kept(draws.integers(2), AugmentSetting.LUMAFLIP, options, draws);
      maps = LinearAlgebra.matmul(ColourMaps.flipGrey(w.reshape(n, 1, 1)), maps);
      labels.add(w);
    }
    if (options.has(AugmentSetting.HUE)) {
      float[] angles = draws.angles(options.get(AugmentSetting.HUE_MAX));
      Tensor w = kept(angles, AugmentSetting.HUE, options, draws);
      maps = LinearAlgebra.matmul(ColourMaps.turn(w), maps);
      labels.add(Pointwise.cos(w).add(-1));
      labels.add(Pointwise.sin(w));
    }
    if (options.has(AugmentSetting.SATURATION)) {
      Tensor w = kept(draws.normal(1), AugmentSetting.SATURATION, options, draws);
      Tensor factor = Pointwise.exp2(w.mul(options.get(AugmentSetting.SATURATION_STD)));
      maps = LinearAlgebra.matmul(ColourMaps.saturate(factor.reshape(n, 1, 1)), maps);
      labels.add(w);
    }
    return new Colour(isOn(options), maps);
  }

  private static Tensor kept(
      float[] values, AugmentSetting setting, AugmentOptions options, AugmentDraws draws) {
    return Torch.tensor(draws.keep(values, options.probability(setting)), draws.images());
  }

  private static boolean isOn(AugmentOptions options) {
    return options.has(AugmentSetting.BRIGHTNESS)
        || options.has(AugmentSetting.CONTRAST)
        || options.has(AugmentSetting.LUMAFLIP)
        || options.has(AugmentSetting.HUE)
        || options.has(AugmentSetting.SATURATION);
  }

  /**
   * Applies the maps.
   *
   * @param images float32 [N, 3, H, W], or [N, 1, H, W]: grayscale, mapped as a colour and averaged
   */
  Tensor apply(Tensor images) {
    long channels = images.size(1);
    if (channels != 1 && channels != 3) {
      throw new OptionException(
          "colour augmentation requires images with 1 or 3 channels, but found " + channels);
    }
    try (TensorScope scope = TensorScope.open()) {
      Tensor pixels = images.reshape(images.size(0), channels, -1);
      Tensor rows = Shapes.narrow(maps.to(images.device()), 1, 0, 3);
      Tensor mapped;
      if (channels == 3) {
        Tensor linear = LinearAlgebra.matmul(Shapes.narrow(rows, 2, 0, 3), pixels);
        mapped = linear.add(Shapes.narrow(rows, 2, 3, 1));
      } else {
        Tensor mean = Reduction.mean(rows, Reduction.KeepDim.YES, 1);
        Tensor factor = Reduction.sum(Shapes.narrow(mean, 2, 0, 3), Reduction.KeepDim.YES, 2);
        mapped = pixels.mul(factor).add(Shapes.narrow(mean, 2, 3, 1));
      }
      return scope.keep(mapped.reshape(images.shape()));
    }
  }
}
