// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.writing;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keyword arguments, with their Python types.
 *
 * @param kwargs plain values by name
 */
record Settings(Map<String, ? extends @Nullable Object> kwargs) {
  /** Returns the argument, or Python's default if it was not given. */
  @Nullable Object value(String name, Object fallback) {
    return kwargs.containsKey(name) ? kwargs.get(name) : fallback;
  }

  /** Returns the arguments except for some, in order. */
  Map<String, @Nullable Object> without(Set<String> names) {
    Map<String, @Nullable Object> rest = new LinkedHashMap<>();
    kwargs.forEach((name, value) -> {
      if (!names.contains(name)) {
        rest.put(name, value);
      }
    });
    return rest;
  }
}
