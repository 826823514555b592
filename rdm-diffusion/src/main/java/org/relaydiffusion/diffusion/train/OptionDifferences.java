// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;

/**
 * The differences between the options of a run and those of the run that wrote its state.
 *
 * @param all in the order of the options
 */
public record OptionDifferences(List<Difference> all) {
  /** The effect of a difference. */
  enum Effect {
    /** None on the network: the location of the data, the duration, the files written. */
    NONE,
    /** The run can be resumed, but results will differ. */
    RESULTS,
    /** The state is of another network. */
    NETWORK
  }

  /**
   * One difference.
   *
   * @param name of the option, as in {@code loss_kwargs.P_mean}
   * @param before value in the state
   * @param now value of this run
   * @param effect of the difference
   */
  record Difference(String name, String before, String now, Effect effect) {
    private String text() {
      return "%s %s instead of %s".formatted(name, now, before);
    }
  }

  private static final String NETWORK = "network_kwargs.";

  private static final String CLASS_NAME = "class_name";

  /** Network options that only affect training: the tensors are the same. */
  private static final Set<String> TRAINING_ONLY =
      Set.of("network_kwargs.dropout", "network_kwargs.label_dropout", "network_kwargs.eff_attn");

  /**
   * The meaning of options that a state does not have, because earlier versions did not write them.
   */
  private static final Map<String, String> DEFAULTS =
      Map.of("network_kwargs.eff_attn", "false", "checkpoint_activations", "false");

  private static final Set<String> HARMLESS =
      Set.of(
          "checkpoint_activations",
          "total_kimg",
          "kimg_per_tick",
          "snapshot_ticks",
          "state_dump_ticks",
          "state_dump_minutes",
          "kept_states",
          "sample_ticks",
          "data_loader_kwargs.num_workers",
          "dataset_kwargs.cache");

  /** Reported otherwise: the data by its fingerprint, half precision by the dtype. */
  private static final Set<String> UNCOMPARED =
      Set.of(
          "dataset_kwargs.path",
          "dataset_kwargs.class_name",
          "dataset_kwargs.max_size",
          "network_kwargs.use_fp16",
          "resume_pkl",
          "resume_state_dump");

  /**
   * Compares options.
   *
   * @param before the state's options, as in {@link ResolvedOptions}
   * @param now those of this run
   */
  public static OptionDifferences between(Map<String, ?> before, Map<String, ?> now) {
    Map<String, String> old = flat(before);
    Map<String, String> wanted = flat(now);
    Set<String> names = new TreeSet<>(old.keySet());
    names.addAll(wanted.keySet());
    List<Difference> all = new ArrayList<>();
    for (String name : names) {
      String absent = DEFAULTS.getOrDefault(name, "none");
      String was = old.getOrDefault(name, absent);
      String is = wanted.getOrDefault(name, absent);
      if (!isSame(name, was, is) && !UNCOMPARED.contains(name)) {
        all.add(new Difference(Printable.of(name), Printable.of(was), is, effect(name)));
      }
    }
    return new OptionDifferences(all);
  }

  /** Returns the differences of some options only. */
  OptionDifferences of(Set<String> names) {
    return new OptionDifferences(all.stream().filter(d -> names.contains(d.name)).toList());
  }

  /** Earlier versions wrote {@code EdmLoss} for EDMLoss, and {@code 500.0} for 500. */
  private static boolean isSame(String name, String was, String is) {
    if (name.endsWith(CLASS_NAME)) {
      return was.equalsIgnoreCase(is);
    }
    return was.equals(is) || was.equals(is + ".0");
  }

  private static Effect effect(String name) {
    if (HARMLESS.contains(name)) {
      return Effect.NONE;
    }
    return name.startsWith(NETWORK) && !TRAINING_ONLY.contains(name)
        ? Effect.NETWORK
        : Effect.RESULTS;
  }

  private static Map<String, String> flat(Map<?, ?> options) {
    Map<String, String> flat = new LinkedHashMap<>();
    options.forEach((name, value) -> add(String.valueOf(name), value, flat));
    return flat;
  }

  private static void add(String name, @Nullable Object value, Map<String, String> flat) {
    if (value instanceof Map<?, ?> map) {
      map.forEach((key, inner) -> add(name + "." + key, inner, flat));
    } else if (value != null) {
      flat.put(name, String.valueOf(value));
    }
  }

  /**
   * Rejects a state of another network.
   *
   * @throws FileException naming each difference
   */
  void refuse(Path state) {
    text(Effect.NETWORK)
        .ifPresent(text -> {
          throw new FileException(
              state,
              "is of another network (%s): use the options that it was trained with, or start a"
                      .formatted(text)
                  + " new run without --resume");
        });
  }

  /** Returns the differences of one kind, separated by commas. */
  Optional<String> text(Effect effect) {
    String text =
        all.stream()
            .filter(d -> d.effect == effect)
            .map(Difference::text)
            .collect(Collectors.joining(", "));
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }
}
