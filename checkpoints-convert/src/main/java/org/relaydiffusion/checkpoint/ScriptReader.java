// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.checkpoint.archive.CheckpointFile;
import org.relaydiffusion.checkpoint.archive.TensorRef;
import org.relaydiffusion.checkpoint.pickle.Instance;
import org.relaydiffusion.checkpoint.pickle.Values;

/**
 * Reads the module in a TorchScript archive as in PyTorch's state_dict: its attributes are tensors,
 * submodules, and others, which are omitted.
 */
final class ScriptReader {
  private static final int DEEPEST = 32;
  private static final int LONGEST_NAME = 256;
  private static final int MOST_VALUES = 200_000;

  private final Path file;
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
  private final NameBudget names;
  private int values;

  private ScriptReader(Path file) {
    this.file = file;
    this.names = new NameBudget(file);
  }

  /**
   * Returns the tensors of a module, by their names in its state_dict.
   *
   * @throws FileException if it is too deep or too large (it may contain itself), or a name is not
   *     valid in a state_dict
   */
  static Map<String, StoredTensor> tensors(Path file, Instance root) {
    ScriptReader reader = new ScriptReader(file);
    reader.walk("", root, 0);
    return reader.tensors;
  }

  private void walk(String prefix, Instance module, int depth) {
    if (depth > DEEPEST || !(module.state() instanceof Map<?, ?> attributes)) {
      throw bad(
          "module '%s' is %s, or nested more than %s levels"
              .formatted(Printable.of(prefix), Values.show(module.state()), DEEPEST));
    }
    for (Map.Entry<?, ?> e : attributes.entrySet()) {
      if (++values > MOST_VALUES) {
        throw bad("has more than %s attributes".formatted(MOST_VALUES));
      }
      switch (e.getValue()) {
        case TensorRef tensor -> add(prefix + part(prefix, e.getKey()), tensor);
        case Instance part when CheckpointFile.isProgram(part.type()) ->
            walk(prefix + part(prefix, e.getKey()) + ".", part, depth + 1);
        default -> {}
      }
    }
  }

  private void add(String name, TensorRef tensor) {
    // Paths have unique names, because parts of a name contain no dots.
    names.tensor(name, tensor.rank());
    tensors.put(name, new StoredTensor(tensor));
  }

  private String part(String prefix, Object name) {
    if (name instanceof String text
        && !text.isEmpty()
        && text.length() <= LONGEST_NAME
        && !text.contains(".")) {
      return text;
    }
    throw bad(
        "has, in module '%s', the name %s".formatted(Printable.of(prefix), Values.show(name)));
  }

  private FileException bad(String what) {
    return new FileException(file, "the TorchScript archive " + what);
  }
}
