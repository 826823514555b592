// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.diffusion.sampler.Solver;
import org.relaydiffusion.diffusion.sampler.Solvers;

/**
 * Reads the options of a stage from plain values of JSON, which are untrusted: see {@link
 * StageOptionTable#read}.
 */
final class StageOptionReader {
  private static final Pattern NAMES_OPTION = Pattern.compile("(\\w+) must (.*)");
  private static final String INFINITY = "Infinity";

  private final StageOptions defaults;
  private final Map<String, StageOption> byKey = new LinkedHashMap<>();
  private final Map<String, String> keys = new HashMap<>();

  StageOptionReader(StageOptions defaults) {
    this.defaults = defaults;
    for (StageOption option : StageOptionTable.of(defaults.solver())) {
      byKey.put(option.key(), option);
      keys.put(option.name(), option.key());
    }
    // The schedule of the blur calls it by the name of the paper's code.
    keys.put("prob_length", "truncation_t");
  }

  StageOptions read(Map<String, ? extends @Nullable Object> values) {
    StageDraft draft = new StageDraft(defaults);
    try {
      flat(values).forEach((key, value) -> set(draft, key, value));
      StageOptions options = draft.build();
      Solver _ = Solvers.of(options.solver());
      return options;
    } catch (OptionException e) {
      throw new OptionException(withKey(String.valueOf(e.getMessage())));
    }
  }

  /** Returns the values of groups under the names of both, as in {@code churn.amount}. */
  private static Map<String, @Nullable Object> flat(
      Map<String, ? extends @Nullable Object> values) {
    Map<String, @Nullable Object> flat = new LinkedHashMap<>();
    values.forEach((name, value) -> {
      if (name.contains(".") || (value instanceof Map<?, ?> empty && empty.isEmpty())) {
        throw new OptionException("%s is unknown".formatted(Printable.of(name)));
      }
      if (value instanceof Map<?, ?> group) {
        group.forEach((inner, item) -> flat.put(name + "." + inner, item));
      } else {
        flat.put(name, value);
      }
    });
    return flat;
  }

  private void set(StageDraft draft, String key, @Nullable Object value) {
    StageOption option = byKey.get(key);
    if (option == null) {
      throw new OptionException("%s is unknown".formatted(Printable.of(key)));
    }
    Object typed = typed(option, value);
    option.requireAllowed(typed);
    option.writer().accept(draft, typed);
  }

  private static Object typed(StageOption option, @Nullable Object value) {
    Object typed =
        switch (option.kind()) {
          case INTEGER -> value instanceof Integer ? value : null;
          case NUMBER -> number(value);
          case TEXT -> value instanceof String ? value : null;
        };
    if (typed == null) {
      throw new OptionException(
          "%s must be %s, but is '%s'"
              .formatted(
                  option.name(),
                  switch (option.kind()) {
                    case INTEGER -> "a whole number";
                    case NUMBER -> "a number";
                    case TEXT -> "a string";
                  },
                  Printable.of(String.valueOf(value))));
    }
    return typed;
  }

  private static @Nullable Object number(@Nullable Object value) {
    return switch (value) {
      case Number number -> (Object) number.doubleValue();
      case String text when text.equals(INFINITY) -> (Object) Double.POSITIVE_INFINITY;
      case String text when text.equals("-" + INFINITY) -> (Object) Double.NEGATIVE_INFINITY;
      case null, default -> null;
    };
  }

  /** Names an option as JSON does. */
  private String withKey(String message) {
    Matcher matcher = NAMES_OPTION.matcher(message);
    return matcher.matches()
        ? "%s must %s"
            .formatted(keys.getOrDefault(matcher.group(1), matcher.group(1)), matcher.group(2))
        : message;
  }
}
