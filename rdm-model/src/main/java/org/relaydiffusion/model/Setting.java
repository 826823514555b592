// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.List;
import java.util.function.Function;

/**
 * A keyword argument of a network: a row of the table that a {@link PreconditionerKind} or an
 * {@link org.relaydiffusion.model.unet.Architecture} has. A value of another type, or out of range,
 * is refused by name.
 */
public final class Setting {
  private final String name;
  private final Object fallback;
  private final Function<Kwargs, Object> reader;

  private Setting(String name, Object fallback, Function<Kwargs, Object> reader) {
    this.name = name;
    this.fallback = fallback;
    this.reader = reader;
  }

  /** An integer from {@code min} to {@code max}. */
  public static Setting whole(String name, int fallback, int min, int max) {
    return new Setting(name, fallback, k -> k.integer(name, fallback, min, max));
  }

  /** A number from {@code min} to {@code max}, which may be infinite. */
  public static Setting real(String name, double fallback, double min, double max) {
    return new Setting(name, fallback, k -> k.real(name, fallback, min, max));
  }

  /** At most {@code maxSize} integers from {@code min} to {@code max}. */
  public static Setting wholes(String name, List<Integer> fallback, int min, int max, int maxSize) {
    List<Integer> values = List.copyOf(fallback);
    return new Setting(name, values, k -> k.integers(name, values, min, max, maxSize));
  }

  /** One of several words; the first is the default. */
  public static Setting choice(String name, String first, String... others) {
    String[] allowed = new String[others.length + 1];
    allowed[0] = first;
    System.arraycopy(others, 0, allowed, 1, others.length);
    return new Setting(name, first, k -> k.choice(name, first, allowed));
  }

  /** True or false; false is the default. */
  public static Setting flag(String name) {
    return new Setting(name, false, k -> k.flag(name));
  }

  /** The argument's name. */
  public String name() {
    return name;
  }

  /**
   * Its value where none is given: an Integer, a Double, a list of Integers, a String, a Boolean.
   */
  public Object fallback() {
    return fallback;
  }

  /** The value among a constructor's arguments. */
  Object read(Kwargs kwargs) {
    return reader.apply(kwargs);
  }

  @Override
  public String toString() {
    return name + "=" + fallback;
  }
}
