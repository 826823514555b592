// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The values of a table of {@link Setting}s, which have been checked.
 *
 * @param values by name: Integers, Doubles, lists of Integers, Strings and Booleans
 */
public record Settings(Map<String, Object> values) {
  /** Makes the map unchangeable. */
  public Settings {
    values = Map.copyOf(values);
  }

  /** Reads what a table asks for. */
  static Settings read(Kwargs kwargs, List<Setting> table) {
    Map<String, Object> values = new LinkedHashMap<>();
    table.forEach(row -> values.put(row.name(), row.read(kwargs)));
    return new Settings(values);
  }

  /** Whether the table has such a setting. */
  public boolean has(String name) {
    return values.containsKey(name);
  }

  /** The value of a {@link Setting#whole}. */
  public int whole(String name) {
    return value(name, Integer.class);
  }

  /** The value of a {@link Setting#real}. */
  public double real(String name) {
    return value(name, Double.class);
  }

  /** The value of a {@link Setting#wholes}. */
  @SuppressWarnings("unchecked")
  public List<Integer> wholes(String name) {
    return value(name, List.class);
  }

  /** The value of a {@link Setting#choice}. */
  public String choice(String name) {
    return value(name, String.class);
  }

  /** The value of a {@link Setting#flag}. */
  public boolean flag(String name) {
    return value(name, Boolean.class);
  }

  private <T> T value(String name, Class<T> type) {
    Object value = values.get(name);
    if (!type.isInstance(value)) {
      throw new IllegalArgumentException(
          value == null
              ? "the table has no setting '%s'".formatted(name)
              : "setting '%s' is %s".formatted(name, value));
    }
    return type.cast(value);
  }
}
