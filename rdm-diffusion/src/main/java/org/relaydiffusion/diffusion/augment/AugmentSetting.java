// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * The settings of the augmentation, under the reference's names. The setting of an operation is
 * multiplied by {@link #P}, the common probability. With 0, its default, the operation is disabled:
 * it draws no numbers and has no labels.
 */
public enum AugmentSetting {
  /** The probability of each operation, before its own multiplier. */
  P("p", 1, 1),
  /** x-flip: mirrors left and right with probability 1/2. */
  XFLIP("xflip", 0, Double.MAX_VALUE),
  /** y-flip: mirrors up and down with probability 1/2. */
  YFLIP("yflip", 0, Double.MAX_VALUE),
  /** Rotation by a multiple of 90 degrees. */
  ROTATE_INT("rotate_int", 0, Double.MAX_VALUE),
  /** Translation by whole pixels. */
  TRANSLATE_INT("translate_int", 0, Double.MAX_VALUE),
  /** The maximum translation by whole pixels, as a fraction of the image size. */
  TRANSLATE_INT_MAX("translate_int_max", 0.125, 1),
  /** Isotropic scaling. */
  SCALE("scale", 0, Double.MAX_VALUE),
  /** Rotation by any angle. */
  ROTATE_FRAC("rotate_frac", 0, Double.MAX_VALUE),
  /** Anisotropic scaling. */
  ANISO("aniso", 0, Double.MAX_VALUE),
  /** Translation by any distance. */
  TRANSLATE_FRAC("translate_frac", 0, Double.MAX_VALUE),
  /** The standard deviation of the binary logarithm of scaling. */
  SCALE_STD("scale_std", 0.2, 16),
  /** The maximum angle of rotation, as a fraction of half a turn. */
  ROTATE_FRAC_MAX("rotate_frac_max", 1, 1),
  /** The standard deviation of the binary logarithm of anisotropic scaling. */
  ANISO_STD("aniso_std", 0.2, 16),
  /** The probability that anisotropic scaling uses rotated axes. */
  ANISO_ROTATE_PROB("aniso_rotate_prob", 0.5, 1),
  /** The standard deviation of translation, as a fraction of the image size. */
  TRANSLATE_FRAC_STD("translate_frac_std", 0.125, 16),
  /** Brightness. */
  BRIGHTNESS("brightness", 0, Double.MAX_VALUE),
  /** Contrast. */
  CONTRAST("contrast", 0, Double.MAX_VALUE),
  /** Luma flip: inverts the brightness and keeps the colour, with probability 1/2. */
  LUMAFLIP("lumaflip", 0, Double.MAX_VALUE),
  /** Hue rotation. */
  HUE("hue", 0, Double.MAX_VALUE),
  /** Saturation. */
  SATURATION("saturation", 0, Double.MAX_VALUE),
  /** The standard deviation of brightness, in the image's units of [-1, 1]. */
  BRIGHTNESS_STD("brightness_std", 0.2, 16),
  /** The standard deviation of the binary logarithm of contrast. */
  CONTRAST_STD("contrast_std", 0.5, 16),
  /** The maximum hue rotation, as a fraction of half a turn. */
  HUE_MAX("hue_max", 1, 1),
  /** The standard deviation of the binary logarithm of saturation. */
  SATURATION_STD("saturation_std", 1, 16);

  private final String key;
  private final double defaultValue;
  private final double largest;

  AugmentSetting(String key, double defaultValue, double largest) {
    this.key = key;
    this.defaultValue = defaultValue;
    this.largest = largest;
  }

  /** Returns the reference's name, such as {@code rotate_frac_max}. */
  public String key() {
    return key;
  }

  /** Returns the default value. */
  public double defaultValue() {
    return defaultValue;
  }

  /** Returns the setting with a name of the reference. */
  public static Optional<AugmentSetting> ofKey(String key) {
    for (AugmentSetting setting : values()) {
      if (setting.key.equals(key)) {
        return Optional.of(setting);
      }
    }
    return Optional.empty();
  }

  /** Rejects a value that is out of range. */
  void check(double value) {
    if (!(value >= 0 && value <= largest)) {
      throw new OptionException(
          "augmentation setting %s must be %s, but is %s"
              .formatted(
                  key,
                  largest == Double.MAX_VALUE
                      ? "a finite number of at least 0"
                      : "in [0, %s]".formatted(text(largest)),
                  text(value)));
    }
  }

  private static String text(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e6
        ? Long.toString((long) value)
        : Double.toString(value);
  }
}
