// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Removes the prefixes that wrappers of a module add to the names of a state_dict: {@code module.}
 * (DataParallel, DistributedDataParallel) and {@code _orig_mod.} ({@code torch.compile}).
 */
final class StateNames {
  private static final List<String> WRAPPERS = List.of("module.", "_orig_mod.");

  private StateNames() {}

  /**
   * Returns the prefix of every name that was added by wrappers; empty if there is none, or no
   * names.
   */
  static String prefix(Collection<String> names) {
    String prefix = "";
    while (!names.isEmpty()) {
      String before = prefix;
      String longer =
          WRAPPERS.stream()
              .map(wrapper -> before + wrapper)
              .filter(p -> names.stream().allMatch(n -> n.startsWith(p) && n.length() > p.length()))
              .findFirst()
              .orElse("");
      if (longer.isEmpty()) {
        return prefix;
      }
      prefix = longer;
    }
    return prefix;
  }

  /** Returns the tensors without {@code prefix}, which all names have. */
  static <T> Map<String, T> without(String prefix, Map<String, T> tensors) {
    if (prefix.isEmpty()) {
      return tensors;
    }
    Map<String, T> stripped = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> stripped.put(name.substring(prefix.length()), tensor));
    return stripped;
  }
}
