// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.checkpoint.archive.TensorRef;
import org.relaydiffusion.checkpoint.pickle.Instance;
import org.relaydiffusion.checkpoint.pickle.PersistentObject;
import org.relaydiffusion.checkpoint.pickle.PyNone;
import org.relaydiffusion.checkpoint.pickle.Values;

/** Reads a pickled module tree as in PyTorch's state_dict. */
final class ModuleReader {
  private static final int DEEPEST = 32;
  private static final int LONGEST_NAME = 256;
  private static final int MOST_MODULES = 100_000;
  private static final int MOST_TENSORS = 100_000;

  /** The positional arguments of the preconditioners, in order. */
  private static final List<String> PRECONDITIONER_ARGS =
      List.of("img_resolution", "img_channels", "label_dim", "use_fp16");

  private final Path file;
  private final String key;
  private final NameBudget names;
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
  private final List<String> parameterNames = new ArrayList<>();
  private final List<String> modules = new ArrayList<>();

  private ModuleReader(Path file, String key) {
    this.file = file;
    this.key = key;
    this.names = new NameBudget(file);
  }

  /**
   * Reads a network.
   *
   * @param key its key in the checkpoint, for messages
   * @param plain converts the plain values of the file
   */
  static NetworkRecord network(Path file, String key, PersistentObject root, PlainValues plain) {
    ModuleReader reader = new ModuleReader(file, key);
    reader.walk("", root.state(), 0);
    if (reader.tensors.isEmpty()) {
      throw reader.bad("has no tensors");
    }
    return new NetworkRecord(
        root.className(),
        arguments(file, key, root, plain),
        reader.tensors,
        reader.parameterNames,
        reader.modules);
  }

  /**
   * Returns the tensors of a module, by their names in its state_dict.
   *
   * @param key the name of the module in messages
   * @param state the attributes of the module
   */
  static Map<String, StoredTensor> tensors(Path file, String key, Map<?, ?> state) {
    ModuleReader reader = new ModuleReader(file, key);
    reader.walk("", state, 0);
    return reader.tensors;
  }

  /** Returns the constructor arguments of a preconditioner, by name. */
  static Map<String, @Nullable Object> arguments(
      Path file, String key, PersistentObject object, PlainValues plain) {
    List<@Nullable Object> positional = positional(file, key, object, plain);
    Map<String, @Nullable Object> named = named(file, key, object, plain);
    if (positional.size() > PRECONDITIONER_ARGS.size()) {
      throw new FileException(
          file,
          "'%s' has %s positional arguments, but only %s are known"
              .formatted(key, positional.size(), PRECONDITIONER_ARGS));
    }
    Map<String, @Nullable Object> all = new LinkedHashMap<>();
    for (int i = 0; i < positional.size(); i++) {
      all.put(PRECONDITIONER_ARGS.get(i), positional.get(i));
    }
    named.forEach((name, value) -> {
      if (all.containsKey(name)) {
        throw new FileException(
            file, "'%s' has the argument '%s' twice".formatted(key, Printable.of(name)));
      }
      all.put(name, value);
    });
    return all;
  }

  static List<@Nullable Object> positional(
      Path file, String key, PersistentObject object, PlainValues plain) {
    Object args = object.state().get("_init_args");
    try {
      if (args != null && plain.of(args) instanceof List<?> list) {
        return new ArrayList<>(list);
      }
    } catch (PlainValues.NotPlainException e) {
      throw new FileException(
          file, "'%s': _init_args: %s".formatted(Printable.of(key), e.getMessage()), e);
    }
    throw new FileException(
        file, "'%s' has the _init_args %s".formatted(Printable.of(key), Values.show(args)));
  }

  static Map<String, @Nullable Object> named(
      Path file, String key, PersistentObject object, PlainValues plain) {
    Object kwargs = object.state().get("_init_kwargs");
    try {
      return plain.map(kwargs == null ? PyNone.NONE : kwargs);
    } catch (PlainValues.NotPlainException e) {
      throw new FileException(
          file, "'%s': _init_kwargs: %s".formatted(Printable.of(key), e.getMessage()), e);
    }
  }

  private void walk(String prefix, Map<?, ?> module, int depth) {
    if (depth > DEEPEST || modules.size() == MOST_MODULES) {
      throw bad("has more than %s levels or %s modules".formatted(DEEPEST, MOST_MODULES));
    }
    if (depth > 0) {
      modules.add(prefix.substring(0, prefix.length() - 1));
    }
    for (Map.Entry<?, ?> e : dictionary(prefix, module, "_parameters").entrySet()) {
      add(path(prefix, e.getKey()), e.getValue(), true);
    }
    Set<?> notStored =
        module.get("_non_persistent_buffers_set") instanceof Set<?> set ? set : Set.of();
    for (Map.Entry<?, ?> e : dictionary(prefix, module, "_buffers").entrySet()) {
      String name = path(prefix, e.getKey());
      if (!notStored.contains(e.getKey())) {
        add(name, e.getValue(), false);
      }
    }
    for (Map.Entry<?, ?> e : dictionary(prefix, module, "_modules").entrySet()) {
      String name = path(prefix, e.getKey());
      switch (e.getValue()) {
        case PyNone _ -> {}
        case PersistentObject object -> walk(name + ".", object.state(), depth + 1);
        case Instance object when object.state() instanceof Map<?, ?> state ->
            walk(name + ".", state, depth + 1);
        default ->
            throw bad(
                "has, as module '%s', %s".formatted(Printable.of(name), Values.show(e.getValue())));
      }
    }
  }

  private Map<?, ?> dictionary(String prefix, Map<?, ?> module, String field) {
    if (module.get(field) instanceof Map<?, ?> map) {
      return map;
    }
    throw bad(
        "has, in module '%s', %s as %s, expected a dictionary"
            .formatted(Printable.of(prefix), Values.show(module.get(field)), field));
  }

  private void add(String name, @Nullable Object value, boolean parameter) {
    if (value == PyNone.NONE) {
      return;
    }
    if (!(value instanceof TensorRef tensor)) {
      throw bad(
          "has, as '%s', %s, expected a tensor".formatted(Printable.of(name), Values.show(value)));
    }
    if (tensors.size() == MOST_TENSORS) {
      throw bad("has more than %s tensors".formatted(MOST_TENSORS));
    }
    names.tensor(name, tensor.rank());
    if (tensors.put(name, new StoredTensor(tensor)) != null) {
      throw bad("has two tensors '%s'".formatted(Printable.of(name)));
    }
    if (parameter) {
      parameterNames.add(name);
    }
  }

  /**
   * Returns a dotted name. Names of omitted values are counted too, since a module may be visited
   * many times.
   */
  private String path(String prefix, @Nullable Object part) {
    return names.name(prefix + part(prefix, part));
  }

  /**
   * Returns one part of a dotted name: it must not contain dots, or two paths could have the same
   * name.
   */
  private String part(String prefix, @Nullable Object name) {
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
    return new FileException(file, "network '%s' %s".formatted(Printable.of(key), what));
  }
}
