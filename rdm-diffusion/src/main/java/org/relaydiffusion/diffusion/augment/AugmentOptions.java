package org.relaydiffusion.diffusion.augment;

import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.relaydiffusion.OptionException;

/**
 * What an {@link AugmentPipe} does, and how strongly: a value for each setting, the others at their
 * defaults.
 *
 * @param values the settings that were given
 */
public record AugmentOptions(Map<AugmentSetting, Double> values) {
  /**
   * Checks the values.
   *
   * @throws OptionException naming the one that makes no sense
   */
  public AugmentOptions {
    EnumMap<AugmentSetting, Double> sorted = new EnumMap<>(AugmentSetting.class);
    sorted.putAll(values);
    sorted.forEach((setting, value) -> setting.check(value));
    values = Collections.unmodifiableMap(sorted);
  }

  /**
   * What the training command uses: x-flips always (that is, half of the images), y-flips, scaling,
   * rotation, anisotropic scaling and translation with probability p each; 9 labels.
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
   * Reads the reference's keyword arguments.
   *
   * @throws OptionException for a name that is no setting's, or a value that makes no sense
   */
  public static AugmentOptions ofKwargs(Map<String, ? extends Number> kwargs) {
    Map<AugmentSetting, Double> values = new EnumMap<>(AugmentSetting.class);
    kwargs.forEach((key, value) ->
        values.put(
            AugmentSetting.ofKey(key)
                .orElseThrow(
                    () -> new OptionException("augmentation has no setting '" + key + "'")),
            value.doubleValue()));
    return new AugmentOptions(values);
  }

  /** The settings that were given, under the reference's names. */
  public Map<String, Double> kwargs() {
    Map<String, Double> kwargs = new LinkedHashMap<>();
    values.forEach((setting, value) -> kwargs.put(setting.key(), value));
    return kwargs;
  }

  /** A setting's value, its default where none was given. */
  public double get(AugmentSetting setting) {
    return values.getOrDefault(setting, setting.defaultValue());
  }

  /** Whether an operation is on at all. */
  public boolean has(AugmentSetting operation) {
    return get(operation) > 0;
  }

  /** The probability of an operation: its multiplier times {@link AugmentSetting#P}. */
  double probability(AugmentSetting operation) {
    return get(operation) * get(AugmentSetting.P);
  }

  /** The number of labels: the {@code augment_dim} of a network that is trained with them. */
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
