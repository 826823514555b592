// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.checkpoint.archive.TensorRef;
import org.relaydiffusion.checkpoint.pickle.BadPickleException;
import org.relaydiffusion.checkpoint.pickle.InertName;
import org.relaydiffusion.checkpoint.pickle.InertSearch;
import org.relaydiffusion.checkpoint.pickle.PersistentObject;
import org.relaydiffusion.checkpoint.pickle.PickleBudget;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.checkpoint.pickle.Values;

/**
 * Classifies the entries of a pickled dictionary: networks, optimizer state, tensors, and others.
 */
final class PickleContents {
  private static final String OPTIMIZER = "optimizer_state";

  /** The keys written by the official code. */
  private static final Set<String> OFFICIAL =
      Set.of(OPTIMIZER, "step", "ema", "net", "loss_fn", "augment_pipe", "dataset_kwargs");

  private final Path file;
  private final PickleBudget budget;
  private final Map<String, NetworkRecord> networks = new LinkedHashMap<>();
  private final Map<String, CheckpointEntry> others = new LinkedHashMap<>();
  private final TensorTree tensors;
  private final PlainValues plain = PlainValues.strict();
  private final PlainValues shown = PlainValues.shown();
  private final PlainValues plainOrTensors = PlainValues.withTensors();
  private final Map<String, @Nullable Object> extra = new LinkedHashMap<>();
  private @Nullable OptimizerRecord optimizer;

  private PickleContents(Path file, PickleBudget budget) {
    this.file = file;
    this.budget = budget;
    this.tensors = new TensorTree(file);
  }

  /**
   * Classifies the contents of a file's pickle.
   *
   * @param budget the remaining budget of the file
   * @throws FileException if it is not a dictionary, or a network contains anything except data
   */
  static CheckpointContents read(Path file, Object root, PickleBudget budget) {
    PickleContents contents = new PickleContents(file, budget);
    if (!(root instanceof Map<?, ?> entries)) {
      contents.refuseInert("the object", root);
      throw new FileException(
          file,
          "contains %s, expected a dictionary of networks or tensors".formatted(Values.show(root)));
    }
    for (Map.Entry<?, ?> e : entries.entrySet()) {
      contents.sort(TensorTree.key(e.getKey()), e.getValue());
      contents.keepExtra(TensorTree.key(e.getKey()), e.getValue());
    }
    return new CheckpointContents(
        contents.networks,
        contents.tensors.tensors(),
        Optional.ofNullable(contents.optimizer),
        contents.others,
        contents.extra);
  }

  private void keepExtra(String key, Object value) {
    if (!OFFICIAL.contains(key)) {
      try {
        extra.put(key, plainOrTensors.of(value));
      } catch (PlainValues.NotPlainException e) {
        // It is listed with the other entries, by its description.
      }
    }
  }

  private void sort(String key, Object value) {
    boolean network = Arrays.stream(Which.values()).anyMatch(w -> w.key().equals(key));
    if (network) {
      refuseInert("entry '%s'".formatted(key), value);
    }
    switch (value) {
      case PersistentObject object when network ->
          networks.put(key, ModuleReader.network(file, key, object, plain));
      case PersistentObject object -> others.put(key, object(key, object));
      case Map<?, ?> map when key.equals(OPTIMIZER) && OptimizerReader.isState(map) -> {
        optimizer = OptimizerReader.read(file, map, plain);
        others.put(
            key,
            new CheckpointEntry.Summary(
                "optimizer state of %s parameters".formatted(optimizer.parameters().size())));
      }
      case Map<?, ?> map -> container(key, map);
      case Object o when network ->
          throw new FileException(
              file, "entry '%s' is %s, expected a network".formatted(key, Values.show(o)));
      case TensorRef tensor -> tensors.collect(key, tensor);
      default -> container(key, value);
    }
  }

  /** A network must contain only data, even in parts that are not read. */
  private void refuseInert(String what, Object value) {
    try {
      InertSearch.find(value, budget)
          .ifPresent(name -> {
            throw new BadPickleException(InertName.refusal(name));
          });
    } catch (BadPickleException e) {
      throw new FileException(file, "%s: %s".formatted(what, e.getMessage()), e);
    }
  }

  private void container(String key, Object value) {
    try {
      others.put(key, new CheckpointEntry.Plain(shown.of(value)));
    } catch (PlainValues.NotPlainException e) {
      int before = tensors.tensors().size();
      if (value instanceof Map<?, ?> || value instanceof Iterable<?> || value instanceof Tuple) {
        tensors.collect(key, value);
      }
      if (tensors.tensors().size() == before) {
        others.put(key, new CheckpointEntry.Summary(Values.show(value)));
      }
    }
  }

  private CheckpointEntry object(String key, PersistentObject object) {
    Map<String, @Nullable Object> arguments = new LinkedHashMap<>();
    int position = 0;
    for (Object value : ModuleReader.positional(file, key, object, shown)) {
      arguments.put(String.valueOf(position++), value);
    }
    arguments.putAll(ModuleReader.named(file, key, object, shown));
    return new CheckpointEntry.ObjectEntry(Printable.of(object.className()), arguments);
  }
}
