// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.Printable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.pickle.PickleForm;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.checkpoint.writing.PersistentForm;

/**
 * An object of the official code without tensors, to be written to a checkpoint: a loss or the
 * augmentation.
 *
 * @param module the official module that defines its class, such as {@code training.loss}
 * @param className the name of the class, such as {@code BlurLoss}
 * @param attributes of the object, as plain values, in the official order
 * @param initKwargs its constructor arguments, as plain values
 */
public record ObjectContents(
    String module,
    String className,
    Map<String, @Nullable Object> attributes,
    Map<String, @Nullable Object> initKwargs) {

  private static final String LOSS_MODULE = "training.loss";

  /** The attributes of each loss, all of which are arguments, with their defaults. */
  private static final Map<String, List<Default>> LOSSES =
      Map.of(
          "EDMLoss",
          List.of(
              new Default("P_mean", -1.2),
              new Default("P_std", 1.2),
              new Default("sigma_data", 0.5)),
          "VPLoss",
          List.of(
              new Default("beta_d", 19.9),
              new Default("beta_min", 0.1),
              new Default("epsilon_t", 1e-5)),
          "VELoss",
          List.of(new Default("sigma_min", 0.02), new Default("sigma_max", 100L)),
          "BlurLoss",
          List.of(
              new Default("P_mean", -1.2),
              new Default("P_std", 1.2),
              new Default("sigma_data", 0.5),
              new Default("up_scale", 4L),
              new Default("prob_length", 0.93),
              new Default("blur_sigma_max", 3L),
              new Default("min_scale", 0.001),
              new Default("block_scale", 0.15)));

  /** The attributes of the augmentation, which converts each to a float. */
  private static final List<Default> AUGMENT_PIPE =
      List.of(
          new Default("p", 1.0),
          new Default("xflip", 0.0),
          new Default("yflip", 0.0),
          new Default("rotate_int", 0.0),
          new Default("translate_int", 0.0),
          new Default("translate_int_max", 0.125),
          new Default("scale", 0.0),
          new Default("rotate_frac", 0.0),
          new Default("aniso", 0.0),
          new Default("translate_frac", 0.0),
          new Default("scale_std", 0.2),
          new Default("rotate_frac_max", 1.0),
          new Default("aniso_std", 0.2),
          new Default("aniso_rotate_prob", 0.5),
          new Default("translate_frac_std", 0.125),
          new Default("brightness", 0.0),
          new Default("contrast", 0.0),
          new Default("lumaflip", 0.0),
          new Default("hue", 0.0),
          new Default("saturation", 0.0),
          new Default("brightness_std", 0.2),
          new Default("contrast_std", 0.5),
          new Default("hue_max", 1.0),
          new Default("saturation_std", 1.0));

  private record Default(String name, Object value) {}

  /** Copies both maps, keeping their order. */
  public ObjectContents {
    attributes = Collections.unmodifiableMap(new LinkedHashMap<>(attributes));
    initKwargs = Collections.unmodifiableMap(new LinkedHashMap<>(initKwargs));
  }

  /**
   * Returns whether the official code has a loss.
   *
   * @param qualifiedName of its class, such as {@code training.loss.BlurLoss}
   */
  public static boolean isOfficialLoss(String qualifiedName) {
    return LOSSES.keySet().stream()
        .anyMatch(name -> qualifiedName.equals(LOSS_MODULE + "." + name));
  }

  /**
   * Returns a loss function.
   *
   * @param className {@code EDMLoss}, {@code VPLoss}, {@code VELoss} or {@code BlurLoss}
   * @param initKwargs the arguments that differ from their defaults
   * @throws RdmException if the class is another one, or has no such argument
   */
  public static ObjectContents loss(
      String className, Map<String, ? extends @Nullable Object> initKwargs) {
    List<Default> attributes = LOSSES.get(className);
    if (attributes == null) {
      throw new RdmException(
          "unknown loss '%s', expected one of %s"
              .formatted(Printable.of(className), LOSSES.keySet().stream().sorted().toList()));
    }
    return new ObjectContents(
        LOSS_MODULE,
        className,
        attributes(className, attributes, initKwargs),
        new LinkedHashMap<>(initKwargs));
  }

  /**
   * Returns the augmentation.
   *
   * @param initKwargs the arguments that differ from their defaults
   * @throws RdmException if it has no such argument, or one is not a number
   */
  public static ObjectContents augmentPipe(Map<String, ? extends @Nullable Object> initKwargs) {
    Map<String, @Nullable Object> attributes = attributes("AugmentPipe", AUGMENT_PIPE, initKwargs);
    attributes.replaceAll((name, value) -> {
      if (value instanceof Number number) {
        return number.doubleValue();
      }
      throw new RdmException("AugmentPipe: %s must be a number".formatted(name));
    });
    return new ObjectContents(
        "training.augment", "AugmentPipe", attributes, new LinkedHashMap<>(initKwargs));
  }

  private static Map<String, @Nullable Object> attributes(
      String className,
      List<Default> defaults,
      Map<String, ? extends @Nullable Object> initKwargs) {
    Map<String, @Nullable Object> attributes = new LinkedHashMap<>();
    defaults.forEach(d -> attributes.put(d.name, d.value));
    initKwargs.forEach((name, value) -> {
      if (!attributes.containsKey(name)) {
        throw new RdmException("%s has no argument '%s'".formatted(className, Printable.of(name)));
      }
      attributes.put(name, value);
    });
    return attributes;
  }

  /** Returns the object as pickled by the official code. */
  PickleForm form() {
    PlainForm plain = new PlainForm();
    Map<String, @Nullable Object> state = new LinkedHashMap<>();
    attributes.forEach((name, value) -> state.put(name, plain.of(name, value)));
    state.put("_init_args", new Tuple(new ArrayList<>()));
    state.put("_init_kwargs", plain.of("_init_kwargs", initKwargs));
    return PersistentForm.of(module, className, state);
  }
}
