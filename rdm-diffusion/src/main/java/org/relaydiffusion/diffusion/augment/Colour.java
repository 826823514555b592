package org.relaydiffusion.diffusion.augment;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The colour part: brightness, contrast, luma flip, hue and saturation, in this order, as one map
 * an image.
 *
 * @param isOn whether one of the operations is on at all
 * @param maps one an image
 */
record Colour(boolean isOn, List<ColourMatrix> maps) {
  static Colour draw(AugmentOptions options, AugmentDraws draws, AugmentLabels labels) {
    List<ColourMatrix> maps =
        new ArrayList<>(Collections.nCopies(draws.images(), ColourMatrix.IDENTITY));
    if (options.has(AugmentSetting.BRIGHTNESS)) {
      float[] w = draws.keep(draws.normal(1), options.probability(AugmentSetting.BRIGHTNESS));
      double deviation = options.get(AugmentSetting.BRIGHTNESS_STD);
      append(maps, i -> ColourMatrix.brighten(w[i] * deviation));
      labels.add(i -> w[i]);
    }
    if (options.has(AugmentSetting.CONTRAST)) {
      float[] w = draws.keep(draws.normal(1), options.probability(AugmentSetting.CONTRAST));
      double deviation = options.get(AugmentSetting.CONTRAST_STD);
      append(maps, i -> ColourMatrix.scale(Math.pow(2, w[i] * deviation)));
      labels.add(i -> w[i]);
    }
    if (options.has(AugmentSetting.LUMAFLIP)) {
      float[] w = draws.keep(draws.integers(2), options.probability(AugmentSetting.LUMAFLIP));
      append(maps, i -> ColourMatrix.stretch(1 - 2 * w[i], 1));
      labels.add(i -> w[i]);
    }
    if (options.has(AugmentSetting.HUE)) {
      float[] angles =
          draws.keep(
              draws.angles(options.get(AugmentSetting.HUE_MAX)),
              options.probability(AugmentSetting.HUE));
      append(maps, i -> ColourMatrix.turn(angles[i]));
      labels.add(i -> Math.cos(angles[i]) - 1);
      labels.add(i -> Math.sin(angles[i]));
    }
    if (options.has(AugmentSetting.SATURATION)) {
      float[] w = draws.keep(draws.normal(1), options.probability(AugmentSetting.SATURATION));
      double deviation = options.get(AugmentSetting.SATURATION_STD);
      append(maps, i -> ColourMatrix.stretch(1, Math.pow(2, w[i] * deviation)));
      labels.add(i -> w[i]);
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

  /** An operation on one image. */
  private interface Step {
    ColourMatrix of(int image);
  }

  private static void append(List<ColourMatrix> maps, Step step) {
    for (int i = 0; i < maps.size(); i++) {
      maps.set(i, maps.get(i).then(step.of(i)));
    }
  }

  /**
   * Maps the colours.
   *
   * @param images float32 [N, 3, H, W], or [N, 1, H, W]: grey, mapped as a colour and averaged
   */
  Tensor apply(Tensor images) {
    int channels = (int) images.size(1);
    if (channels != 1 && channels != 3) {
      throw new OptionException(
          "colour augmentation needs images of 1 or 3 channels, not " + channels);
    }
    int n = maps.size();
    float[] linear = new float[n * channels * channels];
    float[] offset = new float[n * channels];
    for (int i = 0; i < n; i++) {
      for (int r = 0; r < 3; r++) {
        // With one channel all rows and columns fall on the same element.
        float part = channels == 3 ? 1 : 1 / 3f;
        int row = r % channels;
        for (int c = 0; c < 3; c++) {
          linear[(i * channels + row) * channels + c % channels] +=
              (float) maps.get(i).at(r, c) * part;
        }
        offset[i * channels + row] += (float) maps.get(i).at(r, 3) * part;
      }
    }
    try (TensorScope scope = TensorScope.open()) {
      Tensor factors = Torch.tensor(linear, n, channels, channels).to(images.device());
      Tensor shifts = Torch.tensor(offset, n, channels, 1).to(images.device());
      Tensor pixels = images.reshape(n, channels, -1);
      Tensor mapped = channels == 3 ? LinearAlgebra.bmm(factors, pixels) : pixels.mul(factors);
      return scope.keep(mapped.add(shifts).reshape(images.shape()));
    }
  }
}
