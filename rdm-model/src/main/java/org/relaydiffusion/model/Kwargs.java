// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.PlainText;
import org.relaydiffusion.Printable;

/** Keyword arguments of a reference constructor, read with their types and ranges checked. */
final class Kwargs {
  private final String owner;
  private final Map<String, ?> values;
  private final Set<String> read = new HashSet<>();

  Kwargs(String owner, Map<String, ?> values) {
    this.owner = owner;
    this.values = values;
  }

  int integer(String name, @Nullable Integer fallback, int min, int max) {
    Object v = take(name);
    if (v == null && fallback != null) {
      return fallback;
    }
    if (v instanceof Number n && isWhole(n, min, max)) {
      return n.intValue();
    }
    throw wrong(name, "an integer from %s to %s".formatted(min, max), v);
  }

  double real(String name, double fallback, double min, double max) {
    Object v = take(name);
    if (v == null) {
      return fallback;
    }
    double d =
        switch (v) {
          // One beyond a double's range is no infinity, though it would become one.
          case BigInteger n when n.bitLength() > Double.MAX_EXPONENT -> Double.NaN;
          case Number n -> n.doubleValue();
          case String s when s.equals("inf") -> Double.POSITIVE_INFINITY;
          default -> Double.NaN;
        };
    if (d >= min && d <= max) {
      return d;
    }
    throw wrong(name, "a number from %s to %s".formatted(min, max), v);
  }

  boolean flag(String name) {
    Object v = take(name);
    if (v == null || v instanceof Boolean) {
      return v != null && (Boolean) v;
    }
    throw wrong(name, "True or False", v);
  }

  String choice(String name, String fallback, String... allowed) {
    Object v = take(name);
    if (v == null) {
      return fallback;
    }
    if (v instanceof String s && Arrays.asList(allowed).contains(s)) {
      return s;
    }
    throw wrong(name, "one of " + String.join(", ", allowed), v);
  }

  List<Integer> integers(String name, List<Integer> fallback, int min, int max, int maxSize) {
    Object v = take(name);
    if (v == null) {
      return fallback;
    }
    if (v instanceof List<?> list
        && list.size() <= maxSize
        && list.stream().allMatch(e -> isWhole(e, min, max))) {
      return list.stream().map(e -> ((Number) e).intValue()).toList();
    }
    throw wrong(
        name, "a list of at most %s integers from %s to %s".formatted(maxSize, min, max), v);
  }

  /** Marks a setting as known without reading it. */
  void ignore(String name) {
    read.add(name);
  }

  /** Refuses what nobody has asked for: a setting that is not understood must not be dropped. */
  void refuseRest() {
    for (String name : values.keySet()) {
      if (!read.contains(name)) {
        throw new ModelException("%s has no setting '%s'".formatted(owner, Printable.of(name)));
      }
    }
  }

  /** Nothing of more than 64 bits is narrowed to a number that happens to be in range. */
  private static boolean isWhole(@Nullable Object v, int min, int max) {
    return (v instanceof Long || v instanceof Integer)
        && ((Number) v).longValue() >= min
        && ((Number) v).longValue() <= max;
  }

  private @Nullable Object take(String name) {
    read.add(name);
    return values.get(name);
  }

  private ModelException wrong(String name, String expected, @Nullable Object found) {
    return new ModelException(
        "%s: %s must be %s, not %s".formatted(owner, name, expected, PlainText.of(found)));
  }
}
