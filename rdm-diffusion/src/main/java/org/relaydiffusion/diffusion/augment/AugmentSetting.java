package org.relaydiffusion.diffusion.augment;

import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * The settings of the augmentation, under the reference's names. An operation's own setting
 * multiplies {@link #P}, the probability of all; at 0, its default, the operation is off: it draws
 * nothing and has no labels.
 */
public enum AugmentSetting {
  /** The probability of each operation, before its own multiplier. */
  P("p", 1, 1),
  /** x-flip: mirrors left and right, half of the times. */
  XFLIP("xflip", 0, Double.MAX_VALUE),
  /** y-flip: mirrors up and down, half of the times. */
  YFLIP("yflip", 0, Double.MAX_VALUE),
  /** Rotation by a multiple of 90 degrees. */
  ROTATE_INT("rotate_int", 0, Double.MAX_VALUE),
  /** Translation by whole pixels. */
  TRANSLATE_INT("translate_int", 0, Double.MAX_VALUE),
  /** The largest whole-pixel translation, as a part of the image's side. */
  TRANSLATE_INT_MAX("translate_int_max", 0.125, 1),
  /** Isotropic scaling. */
  SCALE("scale", 0, Double.MAX_VALUE),
  /** Rotation by any angle. */
  ROTATE_FRAC("rotate_frac", 0, Double.MAX_VALUE),
  /** Anisotropic scaling. */
  ANISO("aniso", 0, Double.MAX_VALUE),
  /** Translation by any distance. */
  TRANSLATE_FRAC("translate_frac", 0, Double.MAX_VALUE),
  /** The deviation of scaling's binary logarithm. */
  SCALE_STD("scale_std", 0.2, 16),
  /** The largest angle of rotation, as a part of half a turn. */
  ROTATE_FRAC_MAX("rotate_frac_max", 1, 1),
  /** The deviation of anisotropic scaling's binary logarithm. */
  ANISO_STD("aniso_std", 0.2, 16),
  /** The probability that anisotropic scaling goes along other axes than the image's. */
  ANISO_ROTATE_PROB("aniso_rotate_prob", 0.5, 1),
  /** The deviation of translation, as a part of the image's side. */
  TRANSLATE_FRAC_STD("translate_frac_std", 0.125, 16),
  /** Brightness. */
  BRIGHTNESS("brightness", 0, Double.MAX_VALUE),
  /** Contrast. */
  CONTRAST("contrast", 0, Double.MAX_VALUE),
  /** Luma flip: inverts the brightness and keeps the colour, half of the times. */
  LUMAFLIP("lumaflip", 0, Double.MAX_VALUE),
  /** Hue rotation. */
  HUE("hue", 0, Double.MAX_VALUE),
  /** Saturation. */
  SATURATION("saturation", 0, Double.MAX_VALUE),
  /** The deviation of brightness, in an image's units of [-1, 1]. */
  BRIGHTNESS_STD("brightness_std", 0.2, 16),
  /** The deviation of contrast's binary logarithm. */
  CONTRAST_STD("contrast_std", 0.5, 16),
  /** The largest hue rotation, as a part of half a turn. */
  HUE_MAX("hue_max", 1, 1),
  /** The deviation of saturation's binary logarithm. */
  SATURATION_STD("saturation_std", 1, 16);

  private final String key;
  private final double defaultValue;
  private final double largest;

  AugmentSetting(String key, double defaultValue, double largest) {
    this.key = key;
    this.defaultValue = defaultValue;
    this.largest = largest;
  }

  /** The reference's name, e.g. {@code rotate_frac_max}. */
  public String key() {
    return key;
  }

  /** The value where none is given. */
  public double defaultValue() {
    return defaultValue;
  }

  /** The setting of a reference's name. */
  public static Optional<AugmentSetting> ofKey(String key) {
    for (AugmentSetting setting : values()) {
      if (setting.key.equals(key)) {
        return Optional.of(setting);
      }
    }
    return Optional.empty();
  }

  /** Refuses what makes no sense, by name. */
  void check(double value) {
    if (!(value >= 0 && value <= largest)) {
      throw new OptionException(
          "augmentation's %s must be %s, but is %s"
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
