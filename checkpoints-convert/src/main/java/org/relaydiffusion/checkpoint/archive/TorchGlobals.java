// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.checkpoint.pickle.BadPickleException;
import org.relaydiffusion.checkpoint.pickle.ByteRange;
import org.relaydiffusion.checkpoint.pickle.Callable;
import org.relaydiffusion.checkpoint.pickle.Callable.Body;
import org.relaydiffusion.checkpoint.pickle.Callable.Kind;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.Instance;
import org.relaydiffusion.checkpoint.pickle.PythonGlobals;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.checkpoint.pickle.Values;
import org.relaydiffusion.torch.DType;

/** All names allowed in a checkpoint: Python's, and PyTorch's tensors, types and containers. */
final class TorchGlobals {
  private static final Map<String, DType> OTHER_DTYPE_NAMES =
      Map.of(
          "half", DType.FLOAT16,
          "float", DType.FLOAT32,
          "double", DType.FLOAT64,
          "long", DType.INT64,
          "int", DType.INT32,
          "short", DType.INT16);

  private final CheckpointFile file;
  private final Map<GlobalName, Object> table;
  private final Map<GlobalName, Object> innerTable = new HashMap<>();
  private final IdentityHashMap<ByteRange, Object> nested = new IdentityHashMap<>();

  TorchGlobals(CheckpointFile file) {
    this.file = file;
    this.table = PythonGlobals.table(file.budget());
    addTypes();
    addTensors();
    for (String container : List.of("ModuleDict", "ModuleList", "Sequential")) {
      object("torch.nn.modules.container", container);
    }
    add("torch.storage", "_load_from_bytes", Kind.FUNCTION, this::loadFromBytes);
  }

  /** Returns the names with their values. */
  Map<GlobalName, Object> table() {
    return Collections.unmodifiableMap(table);
  }

  private void addTypes() {
    for (DType dtype : DType.values()) {
      table.put(new GlobalName("torch", dtype.torchName()), dtype);
    }
    OTHER_DTYPE_NAMES.forEach((name, dtype) -> table.put(new GlobalName("torch", name), dtype));
    StorageType.CLASSES.forEach(
        (name, dtype) -> table.put(new GlobalName("torch", name), new StorageType(name, dtype)));
    StorageType untyped = new StorageType("UntypedStorage", DType.UINT8);
    table.put(new GlobalName("torch.storage", "UntypedStorage"), untyped);
    add("torch", "Size", Kind.CLASS, TorchGlobals::size);
    object("torch", "device");
  }

  private void addTensors() {
    String utils = "torch._utils";
    add(utils, "_rebuild_tensor", Kind.FUNCTION, TensorRef::of);
    add(utils, "_rebuild_tensor_v2", Kind.FUNCTION, TensorRef::of);
    add(utils, "_rebuild_tensor_v3", Kind.FUNCTION, TensorRef::withDType);
    add(utils, "_rebuild_parameter", Kind.FUNCTION, TorchGlobals::parameter);
    add(utils, "_rebuild_parameter_with_state", Kind.FUNCTION, TorchGlobals::parameter);
  }

  private void object(String module, String name) {
    GlobalName full = new GlobalName(module, name);
    add(module, name, Kind.CLASS, _ -> new Instance(full));
  }

  private void add(String module, String name, Kind kind, Body body) {
    GlobalName full = new GlobalName(module, name);
    table.put(full, new Callable(full, kind, body));
  }

  /** Handles {@code torch.Size((2, 3))}: a tuple. */
  private static Object size(List<Object> args) {
    if (args.size() == 1 && args.getFirst() instanceof Tuple sizes) {
      return sizes;
    }
    throw new BadPickleException("constructs a torch.Size from %s".formatted(Values.show(args)));
  }

  /** Handles {@code (data, requires_grad, hooks[, state])}: only the data is used. */
  private static Object parameter(List<Object> args) {
    if (args.isEmpty() || !(args.getFirst() instanceof TensorRef tensor)) {
      throw new BadPickleException("constructs a parameter from something other than a tensor");
    }
    return tensor;
  }

  private Object loadFromBytes(List<Object> args) {
    if (args.size() != 1 || !(args.getFirst() instanceof ByteRange bytes)) {
      throw new BadPickleException("loads a storage from something other than bytes");
    }
    Object known = nested.get(bytes);
    if (known == null) {
      known = LegacyStream.read(file, bytes.memory(), "a storage's stream", withoutNesting()::get);
      nested.put(bytes, known);
    }
    return known;
  }

  /** Storages contain no storages, so a stream inside a pickle contains no further stream. */
  private Map<GlobalName, Object> withoutNesting() {
    if (innerTable.isEmpty()) {
      innerTable.putAll(table);
      innerTable.remove(new GlobalName("torch.storage", "_load_from_bytes"));
    }
    return innerTable;
  }
}
