// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.checkpoint.OptimizerRecord.ParameterState;
import org.relaydiffusion.checkpoint.archive.TensorRef;
import org.relaydiffusion.checkpoint.pickle.Values;

/** Reads an optimizer's state_dict: {state: {number: {name: value}}, param_groups: [...]}. */
final class OptimizerReader {
  private final Path file;

  private final PlainValues plain;

  private OptimizerReader(Path file, PlainValues plain) {
    this.file = file;
    this.plain = plain;
  }

  /**
   * Returns whether a dictionary is one; a checkpoint for sampling only may contain an empty one.
   */
  static boolean isState(Map<?, ?> map) {
    return map.get("state") instanceof Map<?, ?> && map.get("param_groups") instanceof List<?>;
  }

  static OptimizerRecord read(Path file, Map<?, ?> map, PlainValues plain) {
    OptimizerReader reader = new OptimizerReader(file, plain);
    if (map.get("state") instanceof Map<?, ?> state
        && map.get("param_groups") instanceof List<?> groups) {
      return new OptimizerRecord(reader.states(state), reader.groups(groups));
    }
    throw reader.bad("has no state and param_groups");
  }

  private Map<Long, ParameterState> states(Map<?, ?> state) {
    Map<Long, ParameterState> states = new LinkedHashMap<>();
    for (Map.Entry<?, ?> e : state.entrySet()) {
      if (!(e.getKey() instanceof Long number)
          || number < 0
          || number > Integer.MAX_VALUE
          || !(e.getValue() instanceof Map<?, ?> values)) {
        throw bad(
            "has an invalid state %s for parameter %s"
                .formatted(Values.show(e.getValue()), Values.show(e.getKey())));
      }
      states.put(number, state(number, values));
    }
    return Collections.unmodifiableMap(states);
  }

  private ParameterState state(long number, Map<?, ?> values) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    Map<String, @Nullable Object> others = new LinkedHashMap<>();
    for (Map.Entry<?, ?> e : values.entrySet()) {
      String name = TensorTree.key(e.getKey());
      if (e.getValue() instanceof TensorRef tensor) {
        tensors.put(name, new StoredTensor(tensor));
      } else {
        try {
          others.put(name, plain.of(e.getValue()));
        } catch (PlainValues.NotPlainException x) {
          throw bad(
              "has, for parameter %s, the %s: %s"
                  .formatted(number, Printable.of(name), x.getMessage()));
        }
      }
    }
    return new ParameterState(
        Collections.unmodifiableMap(tensors), Collections.unmodifiableMap(others));
  }

  private List<Map<String, @Nullable Object>> groups(List<?> groups) {
    List<Map<String, @Nullable Object>> all = new ArrayList<>();
    for (Object group : groups) {
      try {
        all.add(Collections.unmodifiableMap(plain.map(group)));
      } catch (PlainValues.NotPlainException e) {
        throw bad("has a group that %s".formatted(e.getMessage()));
      }
    }
    return Collections.unmodifiableList(all);
  }

  private FileException bad(String what) {
    return new FileException(file, "entry 'optimizer_state' " + what);
  }
}
