// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.checkpoint.archive.TensorRef;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.checkpoint.pickle.Values;

/**
 * Collects the tensors in nested dictionaries and lists, under dotted names. Other values are
 * ignored.
 */
final class TensorTree {
  private static final int DEEPEST = 32;
  private static final int MOST_VALUES = 200_000;
  private static final int LONGEST_NAME = 1024;

  private final Path file;
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
  private final NameBudget names;
  private int values;

  TensorTree(Path file) {
    this.file = file;
    this.names = new NameBudget(file);
  }

  /** Returns the tensors collected so far. */
  Map<String, StoredTensor> tensors() {
    return tensors;
  }

  /**
   * Collects from a value and everything in it.
   *
   * @throws FileException if it is too deep or too large (it may contain itself), or if two tensors
   *     have the same name
   */
  void collect(String name, Object value) {
    collect(name, value, 0);
  }

  private void collect(String name, Object value, int depth) {
    if (++values > MOST_VALUES || depth > DEEPEST || name.length() > LONGEST_NAME) {
      throw new FileException(
          file,
          "entry '%s' has more than %s values or %s levels, or contains itself"
              .formatted(Printable.of(name), MOST_VALUES, DEEPEST));
    }
    switch (value) {
      case TensorRef tensor -> {
        names.tensor(name, tensor.rank());
        if (tensors.put(name, new StoredTensor(tensor)) != null) {
          throw new FileException(file, "has two tensors named '%s'".formatted(Printable.of(name)));
        }
      }
      case Map<?, ?> map -> {
        for (Map.Entry<?, ?> e : map.entrySet()) {
          collect(name + "." + key(e.getKey()), e.getValue(), depth + 1);
        }
      }
      case Tuple tuple -> collectAll(name, tuple.items(), depth);
      case List<?> list -> collectAll(name, list, depth);
      default -> {}
    }
  }

  private void collectAll(String name, List<?> items, int depth) {
    for (int i = 0; i < items.size(); i++) {
      collect(name + "." + i, items.get(i), depth + 1);
    }
  }

  /** Returns the key of a dictionary as part of a name. */
  static String key(Object key) {
    return key instanceof String text ? text : Values.show(key);
  }
}
