// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.Comparison;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The operations that only move pixels, without changing values: x-flip, y-flip, rotation by
 * quarter turns and translation by whole pixels, in this order. Pixels uncovered by a translation
 * are filled by reflection at the edge.
 *
 * @param xflip 1 for images that are mirrored left and right
 * @param yflip 1 for images that are mirrored up and down
 * @param quarterTurns 0 to 3, counter-clockwise
 * @param right whole pixels to the right
 * @param down whole pixels downwards
 */
record Blitting(float[] xflip, float[] yflip, float[] quarterTurns, float[] right, float[] down) {
  static Blitting draw(
      AugmentOptions options, AugmentDraws draws, AugmentLabels labels, int width, int height) {
    float[] xflip = {};
    if (options.has(AugmentSetting.XFLIP)) {
      xflip = draws.keep(draws.integers(2), options.probability(AugmentSetting.XFLIP));
      float[] label = xflip;
      labels.add(i -> label[i]);
    }
    float[] yflip = {};
    if (options.has(AugmentSetting.YFLIP)) {
      yflip = draws.keep(draws.integers(2), options.probability(AugmentSetting.YFLIP));
      float[] label = yflip;
      labels.add(i -> label[i]);
    }
    float[] turns = {};
    if (options.has(AugmentSetting.ROTATE_INT)) {
      if (width != height) {
        throw new OptionException(
            "augmentation with rotate_int requires square images, but found %s x %s"
                .formatted(width, height));
      }
      turns = draws.keep(draws.integers(4), options.probability(AugmentSetting.ROTATE_INT));
      float[] label = turns;
      labels.add(i -> label[i] == 1 || label[i] == 2 ? 1 : 0);
      labels.add(i -> label[i] == 2 || label[i] == 3 ? 1 : 0);
    }
    float[] right = {};
    float[] down = {};
    if (options.has(AugmentSetting.TRANSLATE_INT)) {
      double limit = options.get(AugmentSetting.TRANSLATE_INT_MAX);
      float[] parts =
          draws.keep(draws.symmetric(2), options.probability(AugmentSetting.TRANSLATE_INT));
      int n = draws.images();
      right = pixels(parts, 0, n, (float) (width * limit));
      // The reference's second label is positive upwards.
      float[] up = pixels(parts, n, n, (float) (height * limit));
      down = new float[n];
      for (int i = 0; i < n; i++) {
        down[i] = -up[i];
      }
      float[] x = right;
      labels.add(i -> x[i] == 0 ? 0 : x[i] / (width * limit));
      labels.add(i -> up[i] == 0 ? 0 : up[i] / (height * limit));
    }
    return new Blitting(xflip, yflip, turns, right, down);
  }

  private static float[] pixels(float[] parts, int from, int count, float limit) {
    float[] pixels = new float[count];
    for (int i = 0; i < count; i++) {
      pixels[i] = (float) Math.rint(parts[from + i] * limit);
    }
    return pixels;
  }

  /**
   * Moves the pixels.
   *
   * @param images [N, C, H, W]
   * @return the same shape and dtype; an alias of {@code images} if nothing moves
   */
  Tensor apply(Tensor images) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor x = images.reshape(images.shape());
      if (any(xflip, 1)) {
        x = choose(xflip, 1, Shapes.flip(x, 3), x);
      }
      if (any(yflip, 1)) {
        x = choose(yflip, 1, Shapes.flip(x, 2), x);
      }
      Tensor upright = x;
      for (int k = 1; k <= 3; k++) {
        if (any(quarterTurns, k)) {
          x = choose(quarterTurns, k, turned(upright, k), x);
        }
      }
      x = shifted(x, 3, right);
      x = shifted(x, 2, down);
      return scope.keep(x);
    }
  }

  /** Rotates counter-clockwise by {@code k} quarter turns. */
  private static Tensor turned(Tensor x, int k) {
    return switch (k) {
      case 1 -> Shapes.flip(Shapes.transpose(x, 2, 3), 2);
      case 2 -> Shapes.flip(x, 2, 3);
      default -> Shapes.flip(Shapes.transpose(x, 2, 3), 3);
    };
  }

  private static boolean any(float[] values, float wanted) {
    for (float value : values) {
      if (value == wanted) {
        return true;
      }
    }
    return false;
  }

  /** Returns {@code changed} for images with the wanted value, and {@code x} for the others. */
  private static Tensor choose(float[] values, float wanted, Tensor changed, Tensor x) {
    Tensor each = Torch.tensor(values, values.length, 1, 1, 1).to(x.device());
    Tensor chosen = Comparison.eq(each, Torch.full(wanted, DType.FLOAT32, x.device()));
    return Pointwise.where(chosen, changed, x);
  }

  /** Moves the pixels of each image along one axis by its own integer. */
  private static Tensor shifted(Tensor x, int axis, float[] by) {
    boolean still = true;
    for (float pixels : by) {
      still &= pixels == 0;
    }
    if (still) {
      return x;
    }
    int size = (int) x.size(axis);
    long[] sources = new long[by.length * size];
    for (int i = 0; i < by.length; i++) {
      for (int k = 0; k < size; k++) {
        sources[i * size + k] = mirrored(k - (int) by[i], size);
      }
    }
    Tensor index =
        Torch.tensor(sources, by.length, 1, axis == 2 ? size : 1, axis == 3 ? size : 1)
            .to(x.device());
    return Shapes.gather(x, axis, Shapes.expand(index, x.shape()));
  }

  /** Returns the pixel at position k of an image that is extended by reflection. */
  private static long mirrored(int k, int size) {
    if (size == 1) {
      return 0;
    }
    int period = 2 * (size - 1);
    int phase = Math.floorMod(k, period);
    return Math.min(phase, period - phase);
  }
}
