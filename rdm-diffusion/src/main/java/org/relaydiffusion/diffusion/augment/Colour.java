// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.augment.AugmentDraws.Drawn;
import org.relaydiffusion.diffusion.transfer.HostValues;
import org.relaydiffusion.diffusion.transfer.HostValues.Sent;
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
 *     [4, 4] if none is enabled. They belong to the scope in which the values were read
 */
record Colour(boolean isOn, Tensor maps) {
  /** Draws the values; the maps, and their labels, are known once these have been read. */
  static Supplier<Colour> draw(AugmentOptions options, AugmentDraws draws, AugmentLabels labels) {
    int n = draws.images();
    Drawn brightness = kept(AugmentSetting.BRIGHTNESS, options, draws, () -> draws.normal(1));
    Drawn contrast = kept(AugmentSetting.CONTRAST, options, draws, () -> draws.normal(1));
    Drawn flips = kept(AugmentSetting.LUMAFLIP, options, draws, () -> draws.integers(2));
    Drawn angles =
        kept(
            AugmentSetting.HUE,
            options,
            draws,
            () -> draws.angles(options.get(AugmentSetting.HUE_MAX)));
    Drawn saturation = kept(AugmentSetting.SATURATION, options, draws, () -> draws.normal(1));
    List<Drawn> all = List.of(brightness, contrast, flips, angles, saturation);
    return () -> of(options, all.stream().map(Drawn::values).toList(), n, labels);
  }

  private static Drawn kept(
      AugmentSetting setting, AugmentOptions options, AugmentDraws draws, Supplier<Drawn> values) {
    return options.has(setting)
        ? draws.keep(values.get(), options.probability(setting))
        : Drawn.NONE;
  }

  private static Colour of(
      AugmentOptions options, List<float[]> values, int n, AugmentLabels labels) {
    Tensor maps = ColourMaps.identity();
    if (options.has(AugmentSetting.BRIGHTNESS)) {
      Tensor w = Torch.tensor(values.get(0), n);
      Tensor by = w.mul(options.get(AugmentSetting.BRIGHTNESS_STD));
      maps = LinearAlgebra.matmul(ColourMaps.brighten(by), maps);
      labels.add(w);
    }
    if (options.has(AugmentSetting.CONTRAST)) {
      Tensor w = Torch.tensor(values.get(1), n);
      Tensor factor = Pointwise.exp2(w.mul(options.get(AugmentSetting.CONTRAST_STD)));
      maps = LinearAlgebra.matmul(ColourMaps.scale(factor), maps);
      labels.add(w);
    }
    if (options.has(AugmentSetting.LUMAFLIP)) {
      Tensor w = Torch.tensor(values.get(2), n);
      maps = LinearAlgebra.matmul(ColourMaps.flipGrey(w.reshape(n, 1, 1)), maps);
      labels.add(w);
    }
    if (options.has(AugmentSetting.HUE)) {
      Tensor w = Torch.tensor(values.get(3), n);
      maps = LinearAlgebra.matmul(ColourMaps.turn(w), maps);
      labels.add(Pointwise.cos(w).add(-1));
      labels.add(Pointwise.sin(w));
    }
    if (options.has(AugmentSetting.SATURATION)) {
      Tensor w = Torch.tensor(values.get(4), n);
      Tensor factor = Pointwise.exp2(w.mul(options.get(AugmentSetting.SATURATION_STD)));
      maps = LinearAlgebra.matmul(ColourMaps.saturate(factor.reshape(n, 1, 1)), maps);
      labels.add(w);
    }
    return new Colour(isOn(options), maps);
  }

  private static boolean isOn(AugmentOptions options) {
    return options.has(AugmentSetting.BRIGHTNESS)
        || options.has(AugmentSetting.CONTRAST)
        || options.has(AugmentSetting.LUMAFLIP)
        || options.has(AugmentSetting.HUE)
        || options.has(AugmentSetting.SATURATION);
  }

  /**
   * Prepares to apply the maps.
   *
   * @param values takes them to the device of the images
   * @param channels of the images: 3, or 1 for grayscale, which is mapped as a colour and averaged
   * @return maps images float32 [N, channels, H, W], once the values have been sent
   */
  UnaryOperator<Tensor> prepare(HostValues values, long channels) {
    if (channels != 1 && channels != 3) {
      throw new OptionException(
          "colour augmentation requires images with 1 or 3 channels, but found " + channels);
    }
    Sent sent = values.add(maps);
    return images -> apply(images, sent.get());
  }

  private static Tensor apply(Tensor images, Tensor maps) {
    long channels = images.size(1);
    try (TensorScope scope = TensorScope.open()) {
      Tensor pixels = images.reshape(images.size(0), channels, -1);
      Tensor rows = Shapes.narrow(maps, 1, 0, 3);
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
