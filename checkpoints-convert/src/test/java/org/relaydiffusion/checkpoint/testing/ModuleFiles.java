// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.testing;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.relaydiffusion.checkpoint.archive.BarePickleWriter;
import org.relaydiffusion.checkpoint.archive.TorchForms;
import org.relaydiffusion.checkpoint.archive.TorchZipWriter;
import org.relaydiffusion.checkpoint.pickle.PickleForm;
import org.relaydiffusion.checkpoint.writing.PersistentForm;
import org.relaydiffusion.model.safetensors.TensorSource;

/** Writes the state of a module in the ways that Python code does, whatever the module is. */
public final class ModuleFiles {
  private ModuleFiles() {}

  /** {@code torch.save(module.state_dict())}. */
  public static void stateDict(Path file, Map<String, ?> state) throws IOException {
    value(file, state);
  }

  /** {@code torch.save(value)}. */
  public static void value(Path file, Object value) throws IOException {
    write(file, out -> TorchZipWriter.write(out, value));
  }

  /**
   * {@code pickle.dump} of a module behind the official persistence wrapper: each tensor is a
   * stream of its own inside the pickle.
   *
   * @param buffers the last parts of the names of those tensors that are buffers
   */
  public static void pickle(Path file, Map<String, TensorSource> state, Set<String> buffers)
      throws IOException {
    PickleForm root = module(tree(state), buffers);
    write(file, out -> BarePickleWriter.write(out, root));
  }

  /** {@code torch.jit.save}, with a program that must not be read. */
  public static void torchScript(Path file, Map<String, TensorSource> state) throws IOException {
    ScriptArchive.write(file, script(tree(state)));
  }

  /** Dotted names as nested maps. */
  private static Map<String, Object> tree(Map<String, TensorSource> state) {
    Map<String, Object> root = new LinkedHashMap<>();
    state.forEach((name, tensor) -> put(root, name, tensor));
    return root;
  }

  private static void put(Map<String, Object> node, String name, TensorSource tensor) {
    int dot = name.indexOf('.');
    if (dot < 0) {
      node.put(name, tensor);
    } else {
      Object part = node.computeIfAbsent(name.substring(0, dot), _ -> new LinkedHashMap<>());
      put(below(part), name.substring(dot + 1), tensor);
    }
  }

  @SuppressWarnings("unchecked") // Every value of a tree that is no tensor is a tree.
  private static Map<String, Object> below(Object node) {
    return (Map<String, Object>) node;
  }

  private static PickleForm module(Map<String, Object> node, Set<String> bufferNames) {
    Map<String, Object> parameters = new LinkedHashMap<>();
    Map<String, Object> buffers = new LinkedHashMap<>();
    Map<String, Object> modules = new LinkedHashMap<>();
    node.forEach((name, value) -> {
      switch (value) {
        case TensorSource buffer when bufferNames.contains(name) -> buffers.put(name, buffer);
        case TensorSource tensor ->
            parameters.put(name, TorchForms.parameter(tensor, TorchForms.Gradient.NONE));
        default -> modules.put(name, module(below(value), bufferNames));
      }
    });
    Map<String, Object> state = new LinkedHashMap<>();
    state.put("training", false);
    state.put("_parameters", parameters);
    state.put("_buffers", buffers);
    state.put("_modules", modules);
    return PersistentForm.of("net", "Net", state);
  }

  private static PickleForm script(Map<String, Object> node) {
    Map<String, Object> attributes = new LinkedHashMap<>();
    attributes.put("training", false);
    node.forEach((name, value) ->
        attributes.put(name, value instanceof TensorSource t ? t : script(below(value))));
    return ScriptArchive.object("Net", attributes);
  }

  private interface Body {
    void writeTo(FileChannel out) throws IOException;
  }

  private static void write(Path file, Body body) throws IOException {
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      body.writeTo(out);
    }
  }
}
