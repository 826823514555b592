// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.relaydiffusion.OptionException;

/**
 * The operations of an {@link AugmentPipe} and their strengths; settings that are not given have
 * their defaults.
 *
 * @param values the given settings
 */
public record AugmentOptions(Map<AugmentSetting, Double> values) {
  /**
   * Checks the values.
   *
   * @throws OptionException naming the value that is out of range
   */
  public AugmentOptions {
    EnumMap<AugmentSetting, Double> sorted = new EnumMap<>(AugmentSetting.class);
    sorted.putAll(values);
    sorted.forEach((setting, value) -> setting.check(value));
    values = Collections.unmodifiableMap(sorted);
  }

  /**
   * Returns the settings of the training command: x-flips always (that is, for half of the images),
   * and y-flips, scaling, rotation, anisotropic scaling and translation with probability p each; 9
   * labels.
   *
   * @param p in [0, 1]
   */
  public static AugmentOptions training(double p) {
    return new AugmentOptions(
        Map.of(
            AugmentSetting.P, p,
            AugmentSetting.XFLIP, 1e8,
            AugmentSetting.YFLIP, 1.0,
            AugmentSetting.SCALE, 1.0,
            AugmentSetting.ROTATE_FRAC, 1.0,
            AugmentSetting.ANISO, 1.0,
            AugmentSetting.TRANSLATE_FRAC, 1.0));
  }

  /**
   * Parses the reference's keyword arguments.
   *
   * @throws OptionException for an unknown name, or a value that is out of range
   */
  public static AugmentOptions ofKwargs(Map<String, ? extends Number> kwargs) {
    Map<AugmentSetting, Double> values = new EnumMap<>(AugmentSetting.class);
    kwargs.forEach((key, value) ->
        values.put(
            AugmentSetting.ofKey(key)
                .orElseThrow(
                    () -> new OptionException("unknown augmentation setting '" + key + "'")),
            value.doubleValue()));
    return new AugmentOptions(values);
  }

  /** Returns the given settings, under the reference's names. */
  public Map<String, Double> kwargs() {
    Map<String, Double> kwargs = new LinkedHashMap<>();
    values.forEach((setting, value) -> kwargs.put(setting.key(), value));
    return kwargs;
  }

  /** Returns the value of a setting, or its default if it was not given. */
  public double get(AugmentSetting setting) {
    return values.getOrDefault(setting, setting.defaultValue());
  }

  /** Returns whether an operation is enabled. */
  public boolean has(AugmentSetting operation) {
    return get(operation) > 0;
  }

  /** Returns the probability of an operation: its multiplier times {@link AugmentSetting#P}. */
  double probability(AugmentSetting operation) {
    return get(operation) * get(AugmentSetting.P);
  }

  /** Returns the number of labels: the {@code augment_dim} of a network trained with them. */
  public int labelDim() {
    int columns = 0;
    for (AugmentSetting operation : values.keySet()) {
      columns += has(operation) ? labels(operation) : 0;
    }
    return columns;
  }

  private static int labels(AugmentSetting setting) {
    return switch (setting) {
      case XFLIP, YFLIP, SCALE, BRIGHTNESS, CONTRAST, LUMAFLIP, SATURATION -> 1;
      case ROTATE_INT, TRANSLATE_INT, ROTATE_FRAC, ANISO, TRANSLATE_FRAC, HUE -> 2;
      case P,
          TRANSLATE_INT_MAX,
          SCALE_STD,
          ROTATE_FRAC_MAX,
          ANISO_STD,
          ANISO_ROTATE_PROB,
          TRANSLATE_FRAC_STD,
          BRIGHTNESS_STD,
          CONTRAST_STD,
          HUE_MAX,
          SATURATION_STD ->
          0;
    };
  }
}
