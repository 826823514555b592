// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.augment.AugmentDraws.Drawn;
import org.relaydiffusion.diffusion.transfer.HostValues;
import org.relaydiffusion.diffusion.transfer.HostValues.Sent;
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
  /** Draws the values; the operations, and their labels, are known once these have been read. */
  static Supplier<Blitting> draw(
      AugmentOptions options, AugmentDraws draws, AugmentLabels labels, int width, int height) {
    Drawn xflip = Drawn.NONE;
    if (options.has(AugmentSetting.XFLIP)) {
      xflip = draws.keep(draws.integers(2), options.probability(AugmentSetting.XFLIP));
    }
    Drawn yflip = Drawn.NONE;
    if (options.has(AugmentSetting.YFLIP)) {
      yflip = draws.keep(draws.integers(2), options.probability(AugmentSetting.YFLIP));
    }
    Drawn turns = Drawn.NONE;
    if (options.has(AugmentSetting.ROTATE_INT)) {
      if (width != height) {
        throw new OptionException(
            "augmentation with rotate_int requires square images, but found %s x %s"
                .formatted(width, height));
      }
      turns = draws.keep(draws.integers(4), options.probability(AugmentSetting.ROTATE_INT));
    }
    Drawn parts = Drawn.NONE;
    if (options.has(AugmentSetting.TRANSLATE_INT)) {
      parts = draws.keep(draws.symmetric(2), options.probability(AugmentSetting.TRANSLATE_INT));
    }
    List<Drawn> all = List.of(xflip, yflip, turns, parts);
    return () -> {
      List<float[]> values = all.stream().map(Drawn::values).toList();
      double limit = options.get(AugmentSetting.TRANSLATE_INT_MAX);
      Blitting blitting = of(values, (float) (width * limit), (float) (height * limit));
      blitting.label(labels, options, width * limit, height * limit);
      return blitting;
    };
  }

  private static Blitting of(List<float[]> values, float farRight, float farUp) {
    float[] parts = values.get(3);
    int n = parts.length / 2;
    // The reference's second value is positive upwards.
    float[] down = pixels(parts, n, n, farUp);
    for (int i = 0; i < n; i++) {
      down[i] = -down[i];
    }
    return new Blitting(
        values.get(0), values.get(1), values.get(2), pixels(parts, 0, n, farRight), down);
  }

  private void label(AugmentLabels labels, AugmentOptions options, double width, double height) {
    if (options.has(AugmentSetting.XFLIP)) {
      labels.add(i -> xflip[i]);
    }
    if (options.has(AugmentSetting.YFLIP)) {
      labels.add(i -> yflip[i]);
    }
    if (options.has(AugmentSetting.ROTATE_INT)) {
      labels.add(i -> quarterTurns[i] == 1 || quarterTurns[i] == 2 ? 1 : 0);
      labels.add(i -> quarterTurns[i] == 2 || quarterTurns[i] == 3 ? 1 : 0);
    }
    if (options.has(AugmentSetting.TRANSLATE_INT)) {
      labels.add(i -> right[i] == 0 ? 0 : right[i] / width);
      labels.add(i -> down[i] == 0 ? 0 : -down[i] / height);
    }
  }

  private static float[] pixels(float[] parts, int from, int count, float limit) {
    float[] pixels = new float[count];
    for (int i = 0; i < count; i++) {
      pixels[i] = (float) Math.rint(parts[from + i] * limit);
    }
    return pixels;
  }

  /**
   * Prepares to move the pixels.
   *
   * @param values takes what is needed on the device of the images
   * @return moves the pixels of images [N, C, height, width], once the values have been sent; the
   *     result is an alias of the images if nothing moves
   */
  UnaryOperator<Tensor> prepare(HostValues values, int width, int height) {
    boolean mirrors = any(xflip, 1);
    boolean flips = any(yflip, 1);
    boolean turns = any(quarterTurns, 1) || any(quarterTurns, 2) || any(quarterTurns, 3);
    Sent none = Sent.NOTHING;
    Sent mirrored = mirrors ? each(xflip, values) : none;
    Sent flipped = flips ? each(yflip, values) : none;
    Sent turned = turns ? each(quarterTurns, values) : none;
    boolean isStillAcross = isStill(right);
    boolean isStillDown = isStill(down);
    Sent columns = isStillAcross ? none : sources(values, right, 3, width);
    Sent rows = isStillDown ? none : sources(values, down, 2, height);
    return images -> {
      try (TensorScope scope = TensorScope.open()) {
        Tensor x = images.reshape(images.shape());
        if (mirrors) {
          x = choose(mirrored.get(), 1, Shapes.flip(x, 3), x);
        }
        if (flips) {
          x = choose(flipped.get(), 1, Shapes.flip(x, 2), x);
        }
        Tensor upright = x;
        for (int k = 1; k <= 3; k++) {
          if (any(quarterTurns, k)) {
            x = choose(turned.get(), k, turned(upright, k), x);
          }
        }
        x = isStillAcross ? x : shifted(x, 3, columns.get());
        x = isStillDown ? x : shifted(x, 2, rows.get());
        return scope.keep(x);
      }
    };
  }

  private static Sent each(float[] values, HostValues to) {
    return to.add(Torch.tensor(values, values.length, 1, 1, 1));
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
  private static Tensor choose(Tensor values, float wanted, Tensor changed, Tensor x) {
    Tensor chosen = Comparison.eq(values, Torch.full(wanted, DType.FLOAT32, x.device()));
    return Pointwise.where(chosen, changed, x);
  }

  private static boolean isStill(float[] by) {
    boolean still = true;
    for (float pixels : by) {
      still &= pixels == 0;
    }
    return still;
  }

  /** Where the pixels of each image come from that moves along one axis by its own integer. */
  private static Sent sources(HostValues values, float[] by, int axis, int size) {
    long[] sources = new long[by.length * size];
    for (int i = 0; i < by.length; i++) {
      for (int k = 0; k < size; k++) {
        sources[i * size + k] = mirrored(k - (int) by[i], size);
      }
    }
    return values.add(
        Torch.tensor(sources, by.length, 1, axis == 2 ? size : 1, axis == 3 ? size : 1));
  }

  private static Tensor shifted(Tensor x, int axis, Tensor sources) {
    return Shapes.gather(x, axis, Shapes.expand(sources, x.shape()));
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
